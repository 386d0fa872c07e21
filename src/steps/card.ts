import { z } from 'zod'
import { inMarkdown as line } from '../core/hostile-text.ts'
import { GRIPS } from '../core/isolation.ts'
import { verdictSchema } from '../core/verdict.ts'

const usageSchema = z.object({ inputTokens: z.number(), outputTokens: z.number(), cachedInputTokens: z.number(), requests: z.number() })
const trailSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('claim'),
    step: z.string(),
    role: z.string(),
    provider: z.string(),
    status: z.string(),
    said: z.string(),
    commit: z.string(),
    tree: z.string(),
    usage: usageSchema,
    cost: z.number().nullable(),
  }),
  z.object({
    kind: z.literal('measurement'),
    step: z.string(),
    tree: z.string().nullable(),
    status: z.string(),
    score: z.number(),
    summary: z.string(),
    verdict: z.string(),
  }),
])

const holdSchema = z.object({ name: z.string(), about: z.enum(['attack', 'limit']), grip: z.enum(GRIPS), reason: z.string() })

/** The evidence card of a run: what agents claimed against what programs measured. `chain` is the head of the hash chain over `trail`. */
export const cardSchema = z.object({
  format: z.literal(1),
  reeve: z.string(),
  run: z.string(),
  task: z.object({ id: z.string(), title: z.string(), kind: z.string() }),
  outcome: z.object({ status: z.string(), reason: z.string().nullable(), message: z.string() }),
  base: z.string(),
  commit: z.string(),
  branch: z.string(),
  /** The lowest level that programs of the run were held at, such as `L2 os-sandbox`. */
  isolation: z.string(),
  /** What held them when the card was written, and the level below which the run would not have gone on. Older cards have none. */
  held: z.object({ by: z.string(), needed: z.string(), holds: z.array(holdSchema) }).optional(),
  attempts: z.int(),
  files: z.array(z.object({ path: z.string(), status: z.string(), added: z.int(), removed: z.int() })),
  verdict: verdictSchema.nullable(),
  /** How the verdict was reached: with which gates, and which files nobody else might change since which commit. */
  judged: z
    .object({ depth: z.enum(['quick', 'full']), specs: z.object({ files: z.array(z.string()), commit: z.string() }).nullable() })
    .nullable(),
  usage: usageSchema,
  cost: z.number().nullable(),
  trail: z.array(trailSchema),
  chain: z.string(),
})
export type Card = z.infer<typeof cardSchema>

/** The card as Markdown for people. */
export function cardText(card: Card): string {
  const { verdict } = card
  return [
    `# ${line(card.task.title)}`,
    '',
    `**${card.outcome.status}**${card.outcome.reason === null ? '' : ` (${card.outcome.reason})`}: ${line(card.outcome.message)}`,
    '',
    table(
      ['', ''],
      [
        ['run', card.run],
        ['task', `${card.task.id} (${card.task.kind})`],
        ['branch', card.branch],
        ['base', card.base],
        ['commit', card.commit],
        ['attempts', String(card.attempts)],
        ['isolation', card.held === undefined ? card.isolation : `${card.isolation} by ${card.held.by}; needed: ${card.held.needed}`],
        ['tokens', `${card.usage.inputTokens} in, ${card.usage.outputTokens} out, ${card.usage.requests} requests`],
        ['cost', card.cost === null ? 'unknown (no price for the model)' : `$${card.cost.toFixed(4)}`],
        ['reeve', card.reeve],
      ],
    ),
    ...(verdict === null ? ['', 'No gate was run.'] : verdictLines(verdict)),
    '',
    '## Claims against measurements',
    '',
    table(
      ['step', 'who', 'what'],
      card.trail.map((it) =>
        it.kind === 'claim'
          ? [it.step, `${it.role} by ${it.provider}, claimed`, it.said || it.status]
          : [it.step, 'gates, measured', it.summary],
      ),
    ),
    '',
    '## Files',
    '',
    table(
      ['file', 'change', 'lines'],
      card.files.map((it) => [it.path, it.status, `+${it.added} -${it.removed}`]),
    ),
    '',
    `Hash chain: \`${card.chain}\`. Run it again: \`reeve verify ${card.run}\``,
    '',
  ].join('\n')
}

function verdictLines(verdict: NonNullable<Card['verdict']>): string[] {
  const gates = verdict.gates.map((it) => [
    it.name,
    it.status,
    it.base?.status ?? 'not measured',
    it.tests === null ? '' : `${it.tests.passed} of ${it.tests.total}${it.tests.skipped > 0 ? `, ${it.tests.skipped} skipped` : ''}`,
    it.command ?? it.reason,
  ])
  const findings = verdict.gates.flatMap((gate) =>
    gate.findings.map(
      (it) =>
        `- ${gate.name}: ${it.file === null ? '' : `${it.file}${it.line === null ? '' : `:${it.line}`} `}${line(it.message)} (${it.attribution})`,
    ),
  )
  const coverage = verdict.changedCoverage
  return [
    '',
    '## Gates',
    '',
    table(['gate', 'change', 'base', 'tests', 'command'], gates),
    ...(findings.length === 0 ? [] : ['', ...findings.slice(0, 50)]),
    '',
    '## Red proof',
    '',
    `**${verdict.redProof.status}**: ${line(verdict.redProof.reason)}`,
    ...verdict.redProof.red.map((it) => `- red on the base, green with the change: ${line(it)}`),
    ...verdict.redProof.vacuous.map((it) => `- proves nothing, green on the base: ${line(it)}`),
    ...(coverage === null
      ? []
      : [
          '',
          `Coverage of changed lines: ${coverage.percent.toFixed(1)} % (${coverage.covered} of ${coverage.lines}, wanted ${coverage.threshold} %)`,
        ]),
  ]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map(line).join(' | ')} |`
  return [row(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(row)].join('\n')
}
