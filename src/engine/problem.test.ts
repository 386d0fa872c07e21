import { expect, it } from 'vitest'
import { soon, toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import { createEngine } from './engine.ts'

it('says that nothing is looked for before it is started and after it has ended', async () => {
  const store = await toyStore()
  const engine = createEngine({ store, workflows: { toy: async () => ({ status: 'succeeded' }) } })
  expect(engine.problem()).toBe('no work is looked for')
  await engine.start()
  const { id } = await toySubmit(store)
  await engine.waitFor(id, soon())
  expect(engine.problem()).toBeNull()
  await engine.stop()
  expect(engine.problem()).toBe('no work is looked for')
})
