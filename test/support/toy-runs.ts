import { onTestFinished } from 'vitest'
import { createEngine, type Engine, type EngineOptions } from '../../src/engine/engine.ts'
import type { Workflow } from '../../src/engine/port.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import type { RunRow, SubmitRequest } from '../../src/store/port.ts'
import { temporaryFolder } from './folder.ts'
import { toyTask } from './toy-task.ts'

/** A store in a temporary folder; closed when the test is over. */
export async function toyStore(folder = temporaryFolder()): Promise<Store> {
  const store = await openStore(folder)
  onTestFinished(() => store.close())
  return store
}

/** An engine at work; stopped when the test is over. */
export async function toyEngine(
  store: Store,
  workflows: Record<string, Workflow>,
  options: Partial<EngineOptions> & { only?: Parameters<Engine['start']>[0] } = {},
): Promise<Engine> {
  const { only, ...rest } = options
  const engine = createEngine({ store, workflows, ...rest })
  onTestFinished(() => engine.stop())
  await engine.start(only)
  return engine
}

/** Submits a run of the workflow `toy`. */
export async function toySubmit(store: Store, id = 'toy', extra: Partial<SubmitRequest> = {}): Promise<RunRow> {
  const { row } = await store.submit({ task: toyTask(id), project: '/project', workflow: 'toy', options: {}, ...extra })
  return row
}

/** Long enough for a busy machine; a test that needs it has failed. */
export const soon = (): AbortSignal => AbortSignal.timeout(20_000)
