import { join } from 'node:path'
import { newRunIds } from '../../src/core/ids.ts'
import { settingsSchema } from '../../src/core/settings.ts'
import { nextRun } from '../../src/engine/schedule.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { toyTask } from '../support/toy-task.ts'
import { type Figure, figure, inTurns, millisecondsOf } from './measure.ts'

const [MANY, FEW, CHOICES] = [10_000, 10, 50]
const LIMITS = { max: 8, roles: {}, providers: {} }

/** Choosing which run is begun next, with many queued, against the same with a few. */
export async function queueChoice(folder: string): Promise<Figure> {
  const many = await filled(join(folder, 'many'), MANY)
  const few = await filled(join(folder, 'few'), FEW)
  const measured = await inTurns(
    5,
    () => choose(many),
    () => choose(few),
  )
  await many.close()
  await few.close()
  return figure(`next of ${MANY} queued runs`, measured, `the same with ${FEW} queued`)
}

/** Runs of three projects, three roles and two priorities, as long as real ones are. */
async function filled(folder: string, count: number): Promise<Store> {
  const store = await openStore(folder)
  const options = { settings: settingsSchema.parse({}) as never, base: 'x', actor: 'ada' }
  const roles = ['backend', 'frontend', 'implementer']
  const request = (id: string, at: number) => ({
    id,
    task: toyTask(`t${at}`, { role: roles[at % 3] ?? '', priority: at % 2, description: 'x'.repeat(500) }),
    project: `/project-${at % 3}`,
    workflow: 'direct',
    options,
  })
  await store.submitAll(newRunIds(Date.now(), count).map(request))
  return store
}

/** Milliseconds of one choice. */
async function choose(store: Store): Promise<number> {
  const history = { starts: 0, served: new Map<string, number>(), now: Date.now() }
  const all = await millisecondsOf(async () => {
    for (let at = 0; at < CHOICES; at++) {
      const next = nextRun(await store.queue.queueHeads(null), await store.queue.load(), LIMITS, history)
      if (next === null) throw new Error('nothing was chosen')
    }
  })
  return all / CHOICES
}
