import { expect, it } from 'vitest'
import { createSandboxes } from './app-sandboxes.ts'
import type { IsolationLevel } from './core/isolation.ts'
import { settingsSchema } from './core/settings.ts'
import type { Sandbox } from './sandbox/port.ts'

const { sandbox: SETTINGS } = settingsSchema.parse({})

function setUp(level: IsolationLevel) {
  const machine = { level, time: 0, measured: 0, closed: 0 }
  const make = async (): Promise<Sandbox> => {
    machine.measured++
    const improve = machine.level === 'guarded' ? { command: 'apt install bubblewrap', gain: 'more' } : null
    const report = { level: machine.level, by: 'test', holds: [], reason: '', improve }
    return { report, close: async () => void machine.closed++ } as unknown as Sandbox
  }
  const sandboxes = createSandboxes(make, { now: () => machine.time })
  return { machine, sandboxes, now: async () => (await sandboxes.of(SETTINGS, {})).report.level }
}

it('measures a machine again that could hold more, and takes what it has become', async () => {
  const { machine, sandboxes, now } = setUp('guarded')
  expect([await now(), await now()]).toEqual(['guarded', 'guarded'])
  expect(machine.measured).toBe(1)
  machine.time += 60_000
  const before = await sandboxes.of(SETTINGS, {})
  expect([machine.measured, machine.closed], 'nothing has changed').toEqual([2, 1])
  machine.level = 'os-sandbox'
  expect(await now()).toBe('guarded')
  machine.time += 60_000
  expect(await Promise.all([now(), now()])).toEqual(['os-sandbox', 'os-sandbox'])
  machine.time += 60_000
  expect([await now(), machine.measured], 'there is nothing more to be had').toEqual(['os-sandbox', 3])
  expect(await sandboxes.of(SETTINGS, {})).not.toBe(before)
  await sandboxes.close()
  expect(machine.closed, 'also the one that runs may still have been held by').toBe(3)
})

it('tells whoever waits that it could not be measured, and tries it again', async () => {
  let tries = 0
  const sandboxes = createSandboxes(
    () => (++tries === 1 ? Promise.reject(new Error('no room')) : Promise.resolve({ report: { improve: null } } as Sandbox)),
    { now: () => 0 },
  )
  await expect(sandboxes.of(SETTINGS, {})).rejects.toThrow('no room')
  expect((await sandboxes.of(SETTINGS, {})).report.improve).toBeNull()
})
