import type { RunId } from '../core/ids.ts'
import type { Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'

/** True when a waiting run goes on only if somebody does something: answers, resumes, or sees to a run that it depends on. */
export async function needsSomebody(store: Store, row: RunRow): Promise<boolean> {
  if (row.reason === 'dependency') return dependenciesNeedSomebody(store, row)
  return (await store.wakesAt(row.id)) === null
}

async function dependenciesNeedSomebody(store: Store, row: RunRow): Promise<boolean> {
  for (const id of await store.dependenciesOf(row.id)) {
    const on = await store.getRun(id)
    if (on?.state === 'waiting' && (await needsSomebody(store, on))) return true
  }
  return false
}

/** The runs that a run waits for, and those that they wait for. */
export async function awaitedBy(store: Store, run: RunId): Promise<RunId[]> {
  const all = new Set<RunId>([run])
  for (const id of all) for (const on of await store.dependenciesOf(id)) all.add(on)
  all.delete(run)
  return [...all]
}
