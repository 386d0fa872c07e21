import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { lastingFolder } from '../../../test/support/folder.ts'
import { writeScriptedModel } from '../../../test/support/gguf.ts'
import { itNeeds } from '../../../test/support/needs.ts'
import { providerSettings } from '../../../test/support/provider.ts'
import { toolFolder } from '../../../test/support/tools.ts'
import { providerPromises, type Situation } from '../../plugin/provider-promises.ts'
import { createEnginePool } from './keep-engine.ts'
import { createLlamaCpp } from './provider.ts'

/** Others cannot be brought about: there is no server that could refuse, and a model that calls no tool. */
const CONTEXTS: Partial<Record<Situation, number>> = { text: 2048, 'too-long': 40 }

describe('what every provider promises, by a GGUF model', () => {
  const pool = createEnginePool()
  const { folder, remove } = lastingFolder()
  beforeAll(() => writeScriptedModel(join(folder, 'greets.gguf'), 'Good morning.'))
  afterAll(async () => {
    await pool.close()
    remove()
  })

  const promises = providerPromises({
    async make(situation) {
      const context = CONTEXTS[situation]
      if (context === undefined) return null
      const settings = providerSettings({ kind: 'llamacpp', file: 'greets.gguf', threads: 1, context_tokens: context, max_retries: 0 })
      return createLlamaCpp('local', settings, { env: { REEVE_LLAMA: toolFolder('llama') }, projectRoot: folder, engines: pool })
    },
  })
  for (const it of promises) itNeeds('the llama engine')(it.name, () => it.run())
})
