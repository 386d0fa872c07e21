import { expect, it, vi } from 'vitest'
import { providerSettings } from '../../test/support/provider.ts'
import { runProgram } from '../process/run-program.ts'
import { createPluginAgent } from './plugin.ts'
import type { AgentRequest, AgentResult } from './port.ts'

const REQUEST = { limits: { timeoutMs: 0 }, signal: new AbortController().signal } as AgentRequest

async function result(run: () => Promise<unknown>, request = REQUEST) {
  const plugin = { kind: 'agent', create: () => ({ model: 'm', run: run as () => Promise<AgentResult> }) } as const
  const deps = { env: {}, projectRoot: '/', runProgram }
  return (await createPluginAgent(plugin, 'mine', providerSettings({ kind: 'plugin', module: 'm' }), deps)).run(request)
}

it('an agent of a plug-in that gives nothing has failed', async () => {
  expect(await result(() => Promise.resolve())).toMatchObject({ class: 'crashed', problem: 'The plug-in gave no result.', cost: null })
})

it('an agent of a plug-in that minds neither limit nor signal is left to itself', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const never = () => new Promise(() => {})
    const late = result(never, { ...REQUEST, limits: { ...REQUEST.limits, timeoutMs: 60_000 } })
    await vi.advanceTimersByTimeAsync(63_000)
    expect(await late).toMatchObject({ status: 'limited', problem: 'The time limit of 60 s is reached, and the plug-in goes on.' })
    const aborted = result(never, { ...REQUEST, limits: { ...REQUEST.limits, timeoutMs: 60_000 }, signal: AbortSignal.abort() })
    await vi.advanceTimersByTimeAsync(3000)
    expect(await aborted).toMatchObject({ status: 'aborted', class: 'aborted' })
  } finally {
    vi.useRealTimers()
  }
})

it('an agent of a plug-in that throws has failed, and what it has used is not known', async () => {
  const run = () => Promise.reject(new Error('I was not ready.'))
  expect(await result(run)).toMatchObject({
    status: 'failed',
    class: 'crashed',
    problem: 'The plug-in has thrown: I was not ready.',
    cost: null,
  })
})
