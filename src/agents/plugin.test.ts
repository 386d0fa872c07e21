import { expect, it } from 'vitest'
import { providerSettings } from '../../test/support/provider.ts'
import { runProgram } from '../process/run-program.ts'
import { createPluginAgent } from './plugin.ts'
import type { AgentRequest } from './port.ts'

it('an agent of a plug-in that throws has failed, and what it has used is not known', async () => {
  const run = () => Promise.reject(new Error('I was not ready.'))
  const plugin = { kind: 'agent', create: () => ({ model: 'm', run }) } as const
  const agent = await createPluginAgent(plugin, 'mine', providerSettings({ kind: 'plugin', module: 'm' }), {
    env: {},
    projectRoot: '/',
    runProgram,
  })
  expect(await agent.run({} as AgentRequest)).toMatchObject({
    status: 'failed',
    class: 'crashed',
    problem: 'The plug-in has thrown: I was not ready.',
    cost: null,
  })
})
