import { oneLine } from '../core/hostile-text.ts'
import { dollars, type RunView, tokensOf } from '../core/run.ts'

/** What came of a run, for a person or a model. */
export function reportOf(run: RunView): string {
  const { verdict } = run
  const lines = [
    `# ${text(run.task.title)}`,
    '',
    `Run ${run.id}: **${run.status}**${run.reason === null ? '' : ` (${run.reason})`}${run.message === null ? '' : `. ${text(run.message)}`}`,
    '',
    ...(run.commit === null ? [] : [`Branch \`${run.branch}\`, commit \`${run.commit}\`.`, '']),
    ...(verdict === null ? [] : ['## Verdict', '', `${verdict.status}, score ${verdict.score}`, '', ...gateLines(verdict), '']),
    '## Steps',
    '',
    ...run.steps.map((it) => `- ${it.name}: ${it.status}${it.summary === null ? '' : `. ${text(it.summary)}`}`),
    '',
    `${tokensOf(run.usage)} tokens, ${run.cost === null ? 'cost unknown' : dollars(run.cost)}, ${run.attempts} attempts, isolation ${run.isolation}.`,
  ]
  return `${lines.join('\n')}\n`
}

function gateLines(verdict: NonNullable<RunView['verdict']>): string[] {
  return verdict.gates.flatMap((gate) => [
    `- ${gate.name}: ${gate.status}. ${text(gate.reason)}`,
    ...gate.findings
      .slice(0, 20)
      .map(
        (it) =>
          `  - ${it.severity}, ${it.attribution}: ${text(it.message)}${it.file === null ? '' : ` (${text(it.file)}:${it.line ?? ''})`}`,
      ),
  ])
}

/** Nothing of it is a link, a picture or a tag. */
function text(value: string): string {
  return oneLine(value).replaceAll(/[\\`*_[\]<>!|#]/g, '\\$&')
}
