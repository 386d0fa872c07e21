import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { isFinished } from '../core/run.ts'
import type { Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'
import { type Context, projectOf, runNamed, settingsOf } from './context.ts'
import { acceptForRun, maySteer, mustSteer } from './isolation.ts'
import { operation } from './operation.ts'
import { projectInput, runInput, runSummarySchema } from './shapes.ts'
import { choices, privilegedChoice } from './submit-checks.ts'
import { summaryOf } from './views.ts'

const one = z.object({ run: runSummarySchema })
const question = z.string().optional().describe('Name of the question, which is its step; the open one when absent.')
const byTool = z
  .boolean()
  .default(false)
  .describe('A program decides by a tool call, and no person was shown the question: needs mcp.approve of the configuration.')
const comment = z.string().max(10_000).optional().describe('Why; kept with the decision.')

async function onRun(context: Context, text: string, fn: (store: Store, row: RunRow) => Promise<RunRow>): Promise<z.input<typeof one>> {
  const store = await context.store()
  return { run: summaryOf(context, await fn(store, await runNamed(context, store, text))) }
}

export const runsCancel = operation({
  name: 'runs.cancel',
  route: 'POST /api/v1/runs/{run}/cancel',
  summary: 'Stops a run for good. What it has written is kept.',
  permission: 'runs:write',
  effect: 'destructive',
  input: z.object({ run: runInput }),
  output: one,
  handler: (context, input) => onRun(context, input.run, (store, row) => store.cancel(row.id, context.actor)),
})

export const runsPause = operation({
  name: 'runs.pause',
  route: 'POST /api/v1/runs/{run}/pause',
  summary: 'Holds a run before its next step.',
  permission: 'runs:write',
  effect: 'write',
  input: z.object({ run: runInput }),
  output: one,
  handler: (context, input) => onRun(context, input.run, (store, row) => store.pause(row.id, context.actor)),
})

export const runsApprove = operation({
  name: 'runs.approve',
  route: 'POST /api/v1/runs/{run}/approve',
  summary: 'Says yes to what a run asks.',
  permission: 'runs:write',
  effect: 'write',
  input: z.object({ run: runInput, comment, question, by_tool: byTool }),
  output: one,
  async handler(context, input) {
    if (input.by_tool) await mustAllowTools(context, input.run)
    return onRun(context, input.run, (store, row) => decide(context, store, row, 'approve', input))
  },
})

export const runsReject = operation({
  name: 'runs.reject',
  route: 'POST /api/v1/runs/{run}/reject',
  summary: 'Says no to what a run asks.',
  permission: 'runs:write',
  effect: 'write',
  input: z.object({ run: runInput, comment, question }),
  output: one,
  handler: (context, input) => onRun(context, input.run, (store, row) => decide(context, store, row, 'reject', input)),
})

/** A model may be what calls the tool: its yes counts only where the person at this machine has said so. */
async function mustAllowTools(context: Context, run: string): Promise<void> {
  const { settings } = await settingsOf(context, null)
  if (settings.mcp.approve) return
  throw new ReeveError('needs_person', { run })
}

interface Decision {
  comment?: string | undefined
  question?: string | undefined
}

function decide(context: Context, store: Store, row: RunRow, kind: 'approve' | 'reject', it: Decision): Promise<RunRow> {
  if (kind === 'approve') mustSteer(context, row)
  context.host.adopt([row.id])
  const data = { ...(it.comment === undefined ? {} : { comment: it.comment }), ...(it.question === undefined ? {} : { what: it.question }) }
  return store.signal(row.id, kind, data, context.actor)
}

export const runsSend = operation({
  name: 'runs.send',
  route: 'POST /api/v1/runs/{run}/messages',
  summary: 'Gives a run an instruction; its next agent gets it.',
  permission: 'runs:write',
  effect: 'write',
  input: z.object({
    run: runInput,
    text: z.string().min(1).max(100_000),
    key: z.string().min(1).max(200).optional().describe('The same key a second time says nothing again.'),
  }),
  output: one,
  handler: (context, input) =>
    onRun(context, input.run, (store, row) => {
      mustSteer(context, row)
      return store.signal(row.id, 'message', { text: input.text }, context.actor, messageId(row, input.key))
    }),
})

function messageId(row: RunRow, key: string | undefined): string | undefined {
  return key === undefined ? undefined : `${row.id}/message/${key}`
}

const resumed = z.object({ runs: z.array(runSummarySchema), skipped: z.array(z.object({ run: z.string(), reason: z.string() })) })

export const runsResume = operation({
  name: 'runs.resume',
  route: 'POST /api/v1/runs/resume',
  summary: 'Makes runs ready to go on: paused, detached, crashed ones; without a run, all of the project.',
  permission: 'runs:write',
  effect: 'write',
  privileged: privilegedChoice,
  input: z.object({ run: runInput.optional(), project: projectInput, accept_isolation: choices.accept_isolation }),
  output: resumed,
  async handler(context, input) {
    const store = await context.store()
    await store.recover()
    if (input.run !== undefined) {
      const row = await runNamed(context, store, input.run)
      // Asked again, or by two people at once: it goes on already.
      if (context.host.resident && row.state === 'running')
        return { runs: [summaryOf(context, await wake(context, store, row))], skipped: [] }
      const reason = hindrance(row)
      if (reason !== null) throw new ReeveError('wrong_state', { run: row.id, status: statusOf(row), action: 'resume', allowed: reason })
      await acceptForRun(context, store, row, input.accept_isolation)
      return { runs: [summaryOf(context, await wake(context, store, row))], skipped: [] }
    }
    const project = await projectOf(context, input.project)
    const rows = await store.listRuns({ project: project.root, states: ['queued', 'running', 'waiting'], limit: 1000 })
    const skipped = rows.flatMap((row) => {
      const reason = hindrance(row)
      return reason === null ? [] : [{ run: row.id, reason: `${statusOf(row)}; this needs ${reason}` }]
    })
    const able = rows.filter((row) => hindrance(row) === null && maySteer(context, row)).toReversed()
    const runs = []
    const low: ReeveError[] = []
    for (const row of able) {
      const problem = await tooLow(() => acceptForRun(context, store, row, input.accept_isolation))
      if (problem === null) runs.push(summaryOf(context, await wake(context, store, row)))
      else {
        skipped.push({ run: row.id, reason: `${statusOf(row)}; ${problem.message}` })
        low.push(problem)
      }
    }
    // Where none can go on for that, it is what the user has to know.
    if (runs.length === 0 && low[0] !== undefined) throw low[0]
    return { runs, skipped }
  },
})

async function tooLow(fn: () => Promise<void>): Promise<ReeveError | null> {
  try {
    await fn()
    return null
  } catch (error) {
    if (error instanceof ReeveError && error.code === 'isolation_too_low') return error
    throw error
  }
}

/** Why a run cannot go on by a plain "resume": what is needed instead. */
function hindrance(row: RunRow): string | null {
  if (isFinished(row.state)) return 'a run that has not ended; for a fresh one of its task: reeve retry'
  if (row.state === 'running') return 'a run that no process works on; watch this one: reeve logs -f'
  if (row.state === 'waiting' && row.reason === 'approval') return 'a decision: reeve approve or reeve reject'
  return null
}

function statusOf(row: RunRow): string {
  return row.reason === null ? row.state : `${row.state} (${row.reason})`
}

/** Also takes back a pause that the run has not come to yet. */
function wake(context: Context, store: Store, row: RunRow): Promise<RunRow> {
  mustSteer(context, row)
  context.host.adopt([row.id])
  return store.resume(row.id, context.actor)
}
