import { join } from 'node:path'
import { redactAll } from '../core/redact.ts'
import type { RunView } from '../core/run.ts'
import { viewRun } from '../engine/view.ts'
import type { Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'
import type { Context } from './context.ts'
import type { RunSummary } from './shapes.ts'

/** Where the event log of a run lies, as lines of JSON. */
export function logPath(context: Pick<Context, 'folders'>, run: string): string {
  return join(context.folders.state, 'logs', `${run}.ndjson`)
}

/** A run as the outside sees it. */
export async function viewOf(context: Context, store: Store, row: RunRow): Promise<RunView> {
  return viewRun({ ...row, task: redactAll(row.task, context.secrets.redact) }, await store.events(row.id), {
    project: row.project,
    workspace: row.facts.workspace ?? '',
    evidence: row.facts.evidence ?? null,
    log: logPath(context, row.id),
  })
}

export function summaryOf(context: Pick<Context, 'secrets'>, row: RunRow): RunSummary {
  const { id, title, role, kind } = redactAll(row.task, context.secrets.redact)
  return {
    id: row.id,
    task: { id, title, role, kind },
    status: row.state,
    reason: row.reason,
    message: row.message,
    workflow: row.workflow,
    branch: row.facts.branch ?? null,
    attempts: row.facts.attempts ?? 0,
    verdict: row.facts.verdict?.status ?? null,
    landed: (row.facts.landed ?? null) !== null,
    project: row.project,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
  }
}
