import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { z } from 'zod'
import { makeRole } from '../../../test/support/agent.ts'
import { temporaryFolder } from '../../../test/support/folder.ts'
import { writeRandomModel } from '../../../test/support/gguf.ts'
import { itNeeds } from '../../../test/support/needs.ts'
import { collect, providerSettings } from '../../../test/support/provider.ts'
import { toolFolder } from '../../../test/support/tools.ts'
import type { Json } from '../../core/json.ts'
import { createLlamaCpp } from '../../models/llamacpp/provider.ts'
import { planSchema } from '../../workflows/plan.ts'
import { proposalSchema } from './answer.ts'

itNeeds('the llama engine')('the engine takes the grammar of every answer that it is asked for', async () => {
  const folder = temporaryFolder()
  writeRandomModel(join(folder, 'noise.gguf'))
  const settings = providerSettings({ kind: 'llamacpp', file: 'noise.gguf', threads: 1, max_tokens: 12 })
  const provider = await createLlamaCpp('local', settings, { env: { REEVE_LLAMA: toolFolder('llama') }, projectRoot: folder })
  onTestFinished(() => provider.close?.())
  const permissions = (['none', 'all'] as const).map((write) => makeRole({ permissions: { write } }).permissions)
  const schemas = [...permissions.map(proposalSchema), z.toJSONSchema(planSchema, { io: 'input' }) as { [key: string]: Json }]
  for (const schema of schemas) {
    const events = await collect(provider, { schema })
    expect(events.at(-1), JSON.stringify(schema)).toMatchObject({ type: 'done' })
    expect(events.map((it) => (it.type === 'text' ? it.text : '')).join('')).toMatch(/^\{\s*"summ/)
  }
})
