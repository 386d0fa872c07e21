import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createEngine } from '../../src/engine/engine.ts'
import type { Workflow } from '../../src/engine/port.ts'
import { openStore } from '../../src/store/open.ts'
import { toyTask } from '../support/toy-task.ts'
import { type Figure, figure, inTurns, millisecondsOf } from './measure.ts'

const STEPS = 200

const steps: Workflow = async (run) => {
  for (let at = 0; at < STEPS; at++) await run.step({ name: `step-${at}`, kind: 'checkpoint', input: null }, async () => at)
  return { status: 'succeeded' }
}

/** A step whose work is nothing, against one bare SQLite transaction of one small row on the same disk with the same durability. */
export async function engineStep(folder: string): Promise<Figure> {
  const store = await openStore(join(folder, 'store'))
  const engine = createEngine({ store, workflows: { steps } })
  await engine.start()
  const bare = bareDatabase(join(folder, 'bare.db'))
  try {
    const measured = await inTurns(
      7,
      async () => {
        const { row } = await store.submit({ task: toyTask('steps'), project: folder, workflow: 'steps', options: {} })
        const signal = AbortSignal.timeout(120_000)
        await engine.waitFor(row.id, signal)
        // From the first step to the last: claiming the run and noticing its end are not part of a step.
        const events = await store.events(row.id)
        const times = events.filter((it) => it.type === 'step.finished').map((it) => it.ts)
        return ((times.at(-1) ?? 0) - (times[0] ?? 0)) / (STEPS - 1)
      },
      async () => (await millisecondsOf(() => bare.transactions(STEPS))) / STEPS,
    )
    return figure('an engine step (two durable transactions, three rows)', measured, 'one bare SQLite transaction')
  } finally {
    await engine.stop()
    await store.close()
    bare.close()
  }
}

/** The unit of comparison: `node:sqlite` by itself, set as the store is. */
function bareDatabase(path: string): { transactions(count: number): void; close(): void } {
  const database = new DatabaseSync(path)
  database.exec('pragma journal_mode=WAL; pragma synchronous=FULL; create table rows(id integer primary key, text text)')
  const insert = database.prepare('insert into rows(text) values (?)')
  return {
    transactions(count) {
      for (let at = 0; at < count; at++) {
        database.exec('begin immediate')
        insert.run('{"step":"part-1/attempt-1/implement","status":"succeeded"}')
        database.exec('commit')
      }
    },
    close: () => database.close(),
  }
}
