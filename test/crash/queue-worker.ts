/**
 * A process that works on what is queued in a data folder, with limits: node queue-worker.ts <folder>
 * Writes a line when a run begins and one when it ends, to one file for all processes.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { createEngine } from '../../src/engine/engine.ts'
import type { RunContext, RunEnd } from '../../src/engine/port.ts'
import { openStore } from '../../src/store/open.ts'

const [folder = ''] = process.argv.slice(2)
const note = (what: string, run: RunContext) =>
  appendFileSync(join(folder, 'work.log'), `${what} ${run.row.project} ${run.row.task.role} ${process.pid}\n`)

async function toy(run: RunContext): Promise<RunEnd> {
  note('begin', run)
  await run.step({ name: 'work', kind: 'agent', input: null }, async () => new Promise<null>((resolve) => setTimeout(resolve, 20, null)))
  note('end', run)
  return { status: 'succeeded' }
}

const store = await openStore(folder)
const engine = createEngine({ store, workflows: { toy }, concurrency: 8, limits: { max: 5, roles: { backend: 2 }, providers: {} } })
await engine.start()
const runs = await store.listRuns({ limit: 1000 })
await Promise.all(runs.map((it) => engine.waitFor(it.id, AbortSignal.timeout(60_000))))
await engine.stop()
await store.close()
