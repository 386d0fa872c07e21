import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openStore } from '../../src/store/open.ts'
import { toyTask } from './toy-task.ts'

export interface Fill {
  runs: number
  /** Of each run; its first one is `run.queued`, its last one `run.finished`. */
  eventsEach: number
  /** Runs at the end that have not ended: they wait for a person. */
  waiting?: number
  project?: string
}

const USAGE = { inputTokens: 1200, outputTokens: 300, cachedInputTokens: 100, requests: 1 }
// Of the five calls that a step makes.
const SUMS = { inputTokens: 6000, outputTokens: 1500, cachedInputTokens: 500, requests: 5 }
// What an agent says in one event, at some length.
const SAID = 'The next thing to look at is how the parser treats an empty line. '.repeat(6)

/** A store with the history of a year, written as fast as the disk takes it: about 100,000 events a second. Nobody may have it open. */
export async function fillStore(folder: string, { runs, eventsEach, waiting = 0, project = '/project' }: Fill): Promise<string[]> {
  await (await openStore(folder)).close()
  const db = new DatabaseSync(join(folder, 'store.db'))
  db.exec('pragma synchronous=off; begin')
  const run = db.prepare(
    `insert into runs (id, workflow, project, task, options, state, reason, message, priority, run_at, epoch, ticket, crashes, unmet, last_seq,
       created_at, started_at, finished_at, active_ms, facts)
     values (?, 'build', ?, ?, '{}', ?, ?, ?, 0, 0, 1, 1, 0, 0, ?, ?, ?, ?, 60000, ?)`,
  )
  const event = db.prepare('insert into events (run, seq, ts, type, data) values (?, ?, ?, ?, ?)')
  const began = Date.now() - runs * 60_000
  const ids: string[] = []
  for (let at = 0; at < runs; at++) {
    const id = `r${String(at).padStart(8, '0')}`
    const open = at >= runs - waiting
    const time = began + at * 60_000
    const facts = JSON.stringify({ base: 'b', branch: `auto/t${at}`, attempts: 1 })
    const state = open ? ['waiting', 'approval', 'Shall it land?'] : ['succeeded', null, null]
    run.run(id, project, JSON.stringify(toyTask(`t${at}`)), ...state, eventsEach, time, time, open ? null : time + 60_000, facts)
    for (let seq = 1; seq <= eventsEach; seq++) event.run(id, seq, time + seq, ...eventAt(seq, eventsEach, open))
    ids.push(id)
  }
  db.exec('commit')
  db.close()
  return ids
}

function eventAt(seq: number, count: number, open: boolean): [type: string, data: string] {
  const step = `part-1/implement-${Math.floor(seq / 50)}`
  const told = (type: string, data: object): [string, string] => [type, JSON.stringify(data)]
  if (seq === 1) return told('run.queued', { task: 't', workflow: 'build' })
  if (seq === 2) return told('run.started', { node: 'n', activation: 1 })
  if (seq === count)
    return open ? told('approval.asked', { what: 'land', message: 'Shall it land?' }) : told('run.finished', { status: 'succeeded' })
  if (seq % 50 === 3) return told('step.started', { step, kind: 'agent', role: 'implementer', attempt: 1, request: 'r' })
  if (seq % 50 === 4) return told('provider.chosen', { step, provider: 'main', model: 'm1', reason: 'preferred', passed: [] })
  if (seq % 50 === 49) return told('step.finished', { step, kind: 'agent', status: 'succeeded', usage: SUMS, cost: 0.01, durationMs: 1000 })
  if (seq % 10 === 5) return told('usage.reported', { step, provider: 'main', model: 'm1', role: 'implementer', usage: USAGE, cost: 0.002 })
  if (seq % 3 === 0) return told('agent.acted', { step, tool: 'read_file', target: 'src/a.ts', ok: true, summary: 'read 100 lines' })
  return told('agent.said', { step, text: SAID })
}
