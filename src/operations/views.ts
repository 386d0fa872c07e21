import { join } from 'node:path'
import { PROGRESS_EVENTS, progressOf } from '../core/progress.ts'
import { type Redact, redactAll } from '../core/redact.ts'
import { type Estimate, isFinished, type RunView } from '../core/run.ts'
import type { Task } from '../core/task.ts'
import { VIEW_EVENTS, viewRun } from '../engine/view.ts'
import type { Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'
import type { Context } from './context.ts'
import { estimateOf } from './estimate.ts'
import type { RunSummary } from './shapes.ts'

/** Where the event log of a run lies, as lines of JSON. */
export function logPath(context: Pick<Context, 'folders'>, run: string): string {
  return join(context.folders.state, 'logs', `${run}.ndjson`)
}

/** A run as the outside sees it. */
export async function viewOf(context: Context, store: Store, row: RunRow): Promise<RunView> {
  const paths = {
    project: row.project,
    workspace: row.facts.workspace ?? '',
    evidence: row.facts.evidence ?? null,
    log: logPath(context, row.id),
  }
  const estimate = await estimated(context, store, row)
  const events = await store.eventsOfType(row.id, VIEW_EVENTS)
  return viewRun({ ...row, task: shownTask(row.task, context.secrets.redact) }, events, paths, estimate)
}

/** A task without what is secret in it. It is one still: a run whose id or title holds a secret can be shown as all others. */
function shownTask(task: Task, redact: Redact): Task {
  const { id, title, description, ...rest } = redactAll(task, redact)
  const plain = id.replaceAll(/[[\]]/g, '').slice(0, 64)
  return { ...rest, id: plain, title: title.slice(0, 200), description: description.slice(0, 100_000), kind: task.kind }
}

async function estimated(context: Context, store: Store, row: RunRow): Promise<Estimate> {
  if (isFinished(row.state)) return estimateOf(row, null, context.clock.now())
  const past = await store.durations(row.project)
  return estimateOf(row, past.get(row.workflow) ?? null, context.clock.now())
}

/** Runs as lists show them. Those that are on their way say how far they are. */
export function summariesOf(context: Context, store: Store, rows: readonly RunRow[]): Promise<RunSummary[]> {
  return Promise.all(
    rows.map(async (row) => {
      if (isFinished(row.state) || row.startedAt === null) return summaryOf(context, row)
      const { percent, stage } = progressOf(await store.eventsOfType(row.id, PROGRESS_EVENTS))
      return { ...summaryOf(context, row), progress: { percent, stage, ...(await estimated(context, store, row)) } }
    }),
  )
}

export function summaryOf(context: Pick<Context, 'secrets'>, row: RunRow): RunSummary {
  const { id, title, role, kind } = row.task
  return {
    id: row.id,
    task: redactAll({ id, title, role, kind }, context.secrets.redact),
    status: row.state,
    reason: row.reason,
    message: row.message ?? row.held,
    workflow: row.workflow,
    branch: row.facts.branch ?? null,
    attempts: row.facts.attempts ?? 0,
    progress: null,
    verdict: row.facts.verdict?.status ?? null,
    landed: (row.facts.landed ?? null) !== null,
    project: row.project,
    createdAt: row.createdAt,
    priority: row.priority,
    notBefore: row.runAt === 0 ? null : row.runAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
  }
}
