import { expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../test/support/folder.ts'
import { toySubmit } from '../test/support/toy-runs.ts'
import { createRunEnvs } from './app-envs.ts'
import { newRunId } from './core/ids.ts'
import { openStore } from './store/open.ts'

async function bench(lookAt?: number) {
  const store = await openStore(temporaryFolder())
  onTestFinished(() => store.close())
  return { store, envs: createRunEnvs(store, { now: Date.now }, lookAt) }
}

it('keeps the environment of a run until it has ended, however often it is let go of', async () => {
  const { store, envs } = await bench()
  const { id } = await toySubmit(store, 'one')
  envs.keep([id], { KEY: 'k' })
  await envs.release(id)
  expect(envs.of(id)).toEqual({ KEY: 'k' })
  await store.cancel(id, 'ann')
  await envs.release(id)
  expect(envs.of(id)).toBeUndefined()
})

it('forgets those of runs that were stopped in the queue, or that never came to be, when there are many', async () => {
  const { store, envs } = await bench(4)
  const [stopped, queued] = [await toySubmit(store, 'stopped'), await toySubmit(store, 'queued')]
  await store.cancel(stopped.id, 'ann')
  const refused = newRunId(Date.now() - 3_600_000)
  const coming = newRunId(Date.now())
  envs.keep([stopped.id, queued.id, refused, coming], {})
  await expect.poll(() => envs.of(stopped.id)).toBeUndefined()
  await expect.poll(() => envs.of(refused)).toBeUndefined()
  expect(envs.of(queued.id)).toEqual({})
  expect(envs.of(coming), 'it is about to be submitted').toEqual({})
})
