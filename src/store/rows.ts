import type { Selectable } from 'kysely'
import type { EventType, RunEvent } from '../core/event.ts'
import { type Json, parseJson } from '../core/json.ts'
import type { Task } from '../core/task.ts'
import type { RunFacts, RunRow } from './port.ts'
import type { EventsTable, RunsTable } from './schema.ts'

/** Text of the store back to the words. What is in there was valid when written, so it is not checked again. */
export function toRunRow(row: Selectable<RunsTable>): RunRow {
  let options: RunRow['options'] | undefined
  return {
    id: row.id,
    clientKey: row.client_key,
    workflow: row.workflow,
    project: row.project,
    task: parseJson(row.task, `the task of run ${row.id}`) as unknown as Task,
    // All settings of the run: large, and of no interest to lists.
    get options() {
      options ??= parseJson(row.options, `the options of run ${row.id}`) as { [key: string]: Json }
      return options
    },
    state: row.state,
    reason: row.reason,
    message: row.message,
    node: row.node,
    priority: row.priority,
    epoch: row.epoch,
    crashes: row.crashes,
    lastSeq: row.last_seq,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    runAt: row.run_at,
    held: row.held,
    activeMs: row.active_ms,
    claimedAt: row.claimed_at,
    facts: toFacts(row.facts, row.id),
  }
}

export function toFacts(text: string, run: string): RunFacts {
  return parseJson(text, `the facts of run ${run}`) as unknown as RunFacts
}

export function toEvent(row: Selectable<EventsTable>): RunEvent {
  return {
    run: row.run,
    seq: row.seq,
    ts: row.ts,
    type: row.type as EventType,
    data: parseJson(row.data, `event ${row.seq} of run ${row.run}`) as RunEvent['data'],
  }
}

/** About how many bytes an event takes in memory. */
export function sizeOf(row: Pick<Selectable<EventsTable>, 'data'>): number {
  return 200 + 2 * row.data.length
}
