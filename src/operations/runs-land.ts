import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { redactAll } from '../core/redact.ts'
import { isFinished } from '../core/run.ts'
import type { RunRow } from '../store/port.ts'
import { resolveTree } from '../workspace/git.ts'
import type { Landed } from '../workspace/land.ts'
import type { Project } from '../workspace/port.ts'
import { openProject } from '../workspace/project.ts'
import { runNamed } from './context.ts'
import { operation } from './operation.ts'
import { runInput } from './shapes.ts'

const HOW = ['branch', 'merge', 'squash'] as const

export const runsLand = operation({
  name: 'runs.land',
  route: 'POST /api/v1/runs/{run}/land',
  summary: 'Brings a run that has ended into the repository: its branch, a merge, or one squashed commit.',
  permission: 'runs:write',
  effect: 'write',
  privileged: (input) => (input.force ? 'land what is not green' : null),
  input: z.object({
    run: runInput,
    how: z.enum(HOW).default('branch'),
    branch: z.string().min(1).optional().describe("Name of the branch that is made; the run's own when absent."),
    force: z.boolean().default(false).describe('Also with a red verdict; the commit says so.'),
  }),
  output: z.object({ run: z.string(), branch: z.string(), commit: z.string(), how: z.enum(HOW), forced: z.boolean(), verdict: z.string() }),
  async handler(context, input) {
    const store = await context.store()
    const row = await runNamed(context, store, input.run)
    const project = await openProject(row.project)
    const { commit, forced, verdict } = checkLanding(row, await judgedOf(project, row), input.force)
    const [{ land }, { landingMessage }] = await Promise.all([import('../workspace/land.ts'), import('../steps/landing-message.ts')])
    const landed = await landNamed(row, () =>
      land({
        project,
        run: row.id,
        commit,
        base: row.facts.base ?? '',
        how: input.how,
        branch: input.branch ?? row.facts.branch ?? '',
        forced,
        ...landingMessage({
          task: redactAll(row.task, context.secrets.redact),
          run: row.id,
          isolation: row.facts.isolation ?? 'unknown',
          verdict,
          forced,
        }),
      }),
    )
    await store.setFacts(row.id, null, { landed: { ...landed, how: input.how, forced } })
    await store.append(row.id, null, 'run.landed', { ...landed, how: input.how, forced })
    return { run: row.id, ...landed, how: input.how, forced, verdict }
  },
})

/** The verdict about what would land. A run that ended between an agent's step and its gates has a last commit that nothing has judged. */
async function judgedOf(project: Project, { facts }: RunRow): Promise<string> {
  const { verdict, commit } = facts
  if (!verdict) return 'not_run'
  if (!commit || verdict.tree === null) return verdict.status
  const tree = await resolveTree(project, commit).catch(() => verdict.tree)
  return tree === verdict.tree ? verdict.status : 'not_run'
}

/** Red never lands without force. Forced is only what needed it. */
function checkLanding(row: RunRow, verdict: string, force: boolean): { commit: string; forced: boolean; verdict: string } {
  if (!isFinished(row.state)) {
    throw new ReeveError('wrong_state', { run: row.id, status: row.state, action: 'land', allowed: 'a run that has ended' })
  }
  const green = row.state === 'succeeded' && (verdict === 'passed' || verdict === 'warning')
  if (!green && !force)
    throw new ReeveError('red_verdict', {
      run: row.id,
      verdict: verdict === 'passed' || verdict === 'warning' ? `${verdict} (but ${row.state})` : verdict,
    })
  const { commit } = row.facts
  if (!commit)
    throw new ReeveError('wrong_state', {
      run: row.id,
      status: `${row.state} without a commit`,
      action: 'land',
      allowed: 'a run that has changed something',
    })
  return { commit, forced: !green, verdict }
}

/** Errors of landing name the run in their hints. */
async function landNamed(row: RunRow, fn: () => Promise<Landed>): Promise<Landed> {
  try {
    return await fn()
  } catch (error) {
    if (error instanceof ReeveError) throw new ReeveError(error.code, { ...error.details, run: row.id }, { cause: error })
    throw error
  }
}
