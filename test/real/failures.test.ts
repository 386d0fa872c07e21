import { afterAll, beforeAll, describe, expect, vi } from 'vitest'
import type { ProviderErrorClass } from '../../src/models/port.ts'
import type { Fault } from '../../src/models/scripted-server/script.ts'
import type { Sandbox } from '../../src/sandbox/port.ts'
import { lastingFolder } from '../support/folder.ts'
import { itNeeds } from '../support/needs.ts'
import { CLIS, type Cli, playAgent, processesIn, WHOLE } from './bench.ts'
import { osSandbox } from './session.ts'

/** What reeve takes each failure for. How long it takes with the settings of users: docs/reference/provider-failures.md. */
const FAILURES: readonly (readonly [what: string, fault: Fault | 'down', ...expected: ProviderErrorClass[]])[] = [
  ['nobody listens', 'down', 'network'],
  ['the key is refused', 'auth', 'auth'],
  ['too many requests', 'rate_limited', 'rate_limited'],
  ['the account is used up', 'quota', 'quota'],
  ['the server has an error of its own', 'server', 'server'],
  ['the server is overloaded', 'overloaded', 'overloaded'],
  ['nothing comes', 'stall', 'timeout'],
  ['the answer stops in the middle', 'stall_in_stream', 'timeout'],
  ['the answer is none', 'malformed', 'bad_output'],
  ['the connection ends in the middle', 'cut', 'bad_output', 'network'],
  ['the model declines', 'refusal', 'refused'],
  ['the prompt is too long', 'context_too_long', 'context_too_long'],
  ['there is no such model', 'not_found', 'model'],
]
/** Lower than those of users: it is the same watch. */
const QUICK = { idle_timeout_seconds: 3, first_byte_timeout_seconds: 3, give_up_seconds: 3 }
const [UNUSED, HARMLESS] = ['http://127.0.0.1:9', 'auth'] as const

// Agents start slowly where several start at once.
vi.setConfig({ testTimeout: 180_000 })

let sandbox: Sandbox
let remove: () => void
beforeAll(async () => {
  const made = lastingFolder('reeve-real-')
  remove = made.remove
  sandbox = await osSandbox(made.folder)
})
afterAll(async () => {
  await sandbox.close()
  remove()
})

async function fails(cli: Cli, fault: Fault | 'down', expected: readonly ProviderErrorClass[]) {
  const down = fault === 'down'
  const settings = down ? { ...QUICK, base_url: UNUSED } : QUICK
  const played = await playAgent({ cli, sandbox, settings, replaceable: true, behaviour: { fault: down ? HARMLESS : fault } })
  const { result, seconds, place } = played
  const story = JSON.stringify({ result, seconds, events: played.events, requests: played.server.log.map((it) => it.status) }, null, 1)
  expect(result.status, story).toBe('failed')
  expect(expected, story).toContain(result.class)
  expect(result.problem, story).not.toBe('')
  expect(processesIn('r1', place.folder)).toEqual([])
}

// `npm test` plays one of them; `npm run real` all.
describe.each(CLIS)('the real %s fails', (cli) => {
  const itReal = itNeeds(`the real ${cli}`, 'bubblewrap')
  for (const [what, fault, ...expected] of FAILURES.filter(([, it]) => WHOLE || (cli === 'claude' && it === 'auth') || it === 'quota')) {
    itReal(`because ${what}: ${expected.join(' or ')}`, () => fails(cli, fault, expected))
  }
})
