import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DONE, EDIT, plainWorkspace, runScript, STARTED, say, WORK } from '../../../test/support/cli-agent.ts'
import { temporaryFolder, writeFiles } from '../../../test/support/folder.ts'
import type { MeterOptions } from '../../models/meter/port.ts'
import { unconfined } from '../../process/unconfined.ts'
import type { CliDeps } from './deps.ts'

describe('the way to its models', () => {
  const confined = { ...unconfined, level: 'os-sandbox' } as const

  function metering(act: (told: MeterOptions['told']) => void) {
    const seen: MeterOptions[] = []
    const closed: number[] = []
    const startMeter: NonNullable<CliDeps['startMeter']> = async (options) => {
      seen.push(options)
      // When the program is under way.
      setTimeout(() => act(options.told), 50)
      const socketPath = options.folder === null ? null : '/tmp/m/s'
      return { url: 'http://127.0.0.1:20001', port: 20_001, token: 'token-1', socketPath, close: async () => void closed.push(1) }
    }
    return { startMeter, seen, closed }
  }
  const tokens = { input: 1000, output: 50, cached: 0 }
  const usage = { inputTokens: 1000, outputTokens: 50, cachedInputTokens: 0, requests: 1 }
  const refusal = { status: 429, problem: 'HTTP 429', retryAfterMs: 2000, by: 'provider' } as const

  it('goes by a proxy that has the key; the program has a token, and in a sandbox a socket only', async () => {
    const { startMeter, seen, closed } = metering((told) => told.onUsage({ usage, tokens, cost: 0.25, model: 'm-7', source: 'metered' }))
    const place = plainWorkspace({ 'a.txt': 'old\n' }, confined)
    const { asked, result, events } = await runScript(
      `${say(STARTED, ...EDIT)}; sleep 0.2; ${say({ t: 'usage', scope: 'total', input: 1, output: 1 }, DONE)}`,
      {
        place,
        deps: { startMeter },
      },
    )
    expect(asked[0]).toMatchObject({ endpoint: { baseUrl: 'http://127.0.0.1:20001', key: 'token-1' }, confined: true })
    expect(place.ways.at(-1)).toMatchObject({ hosts: [], services: [{ port: 20_001, socketPath: '/tmp/m/s' }] })
    expect(seen[0]).toMatchObject({
      upstream: 'http://127.0.0.1:9',
      key: 'key-of-the-user-1',
      listenTcp: false,
      origin: { role: 'implementer' },
    })
    expect([result.usage, result.cost, closed.length]).toEqual([usage, 0.25, 1])
    expect(events.filter((it) => it.type === 'used').map((it) => it.source)).toEqual(['metered'])
  })

  it('is direct, with the key itself, where the user has said so', async () => {
    const { startMeter, seen } = metering(() => undefined)
    const { asked, place } = await runScript(WORK, {
      deps: { startMeter },
      settings: { meter: false, base_url: 'https://models.example/v1' },
    })
    expect(asked[0]?.endpoint).toEqual({ baseUrl: 'https://models.example', key: 'key-of-the-user-1' })
    expect(place.ways.at(-1)?.hosts).toEqual([{ host: 'models.example', port: 443, own: true }])
    expect(seen).toEqual([])
  })

  it('is told of refusals by the proxy, whatever the program does with them', async () => {
    const { startMeter, seen } = metering((told) => told.onStatus({ ...refusal, class: 'auth' }))
    const { result } = await runScript(`${say(STARTED)}; sleep 30`, { deps: { startMeter } })
    expect(result).toMatchObject({ status: 'failed', class: 'auth', problem: 'HTTP 429' })
    expect(seen[0]).toMatchObject({ folder: null, listenTcp: true })
  })

  it('gives a failure the class that was seen last', async () => {
    const { startMeter } = metering((told) => told.onStatus({ ...refusal, class: 'overloaded' }))
    const { result } = await runScript(
      `${say(STARTED)}; sleep 0.2; ${say({ t: 'error', class: null, problem: 'API said something.' })}; exit 1`,
      {
        deps: { startMeter },
      },
    )
    expect(result).toMatchObject({ class: 'overloaded', problem: 'API said something.' })
    expect(result.retryAt).toBeGreaterThan(Date.now())
  })

  it('ends with the budget', async () => {
    const { startMeter } = metering((told) => told.onLimit({ limit: 'usd', problem: 'No money.' }))
    const { result } = await runScript(`${say(STARTED)}; sleep 30`, { deps: { startMeter } })
    expect(result).toMatchObject({ status: 'limited', limit: 'usd', problem: 'No money.' })
  })

  it('is, for a program whose requests nobody sees, one turn at the account, which learns how it went', async () => {
    const left: unknown[] = []
    const admission: NonNullable<CliDeps['admission']> = {
      enter: async ({ origin, inputTokens }) => {
        left.push([origin.step, inputTokens > 100])
        return { admitted: true, leave: async (outcome) => void left.push(outcome) }
      },
    }
    const retry = { t: 'retry', class: 'quota', problem: 'Used up.', delayMs: 1000 } as const
    const usage = { t: 'usage', scope: 'turn', input: 10, output: 1 } as const
    await runScript(`${say(STARTED, usage, retry)}; sleep 30`, { deps: { admission } })
    const outcome = { class: 'quota', tokens: { input: 10, output: 1, cached: 0 }, retryAt: expect.any(Number), problem: 'Used up.' }
    expect(left).toEqual([['implement', true], outcome])
  })

  it('is not begun where the account is closed', async () => {
    const admission: NonNullable<CliDeps['admission']> = { enter: async () => ({ admitted: false, retryAt: 7, problem: 'Closed.' }) }
    const { result, asked } = await runScript(WORK, { deps: { admission } })
    expect([asked.length, result]).toEqual([
      0,
      expect.objectContaining({ status: 'failed', class: 'rate_limited', retryAt: 7, problem: 'Closed.' }),
    ])
  })

  it("by the user's own log-in is a copy of that log-in, and the hosts of its maker", async () => {
    const realHome = temporaryFolder()
    writeFiles(realHome, { '.fake/login.json': 'the log-in', '.fake/history': 'private' })
    const place = plainWorkspace({ 'a.txt': 'old\n' })
    mkdirSync(join(place.home, '.fake'))
    writeFileSync(join(place.home, '.fake/login.json'), 'an old one')
    const { events } = await runScript(`cat "$HOME/.fake/login.json" > got.txt; echo new > "$HOME/.fake/login.json"; ${WORK}`, {
      place,
      deps: { realHome, env: {} },
      settings: { login: true, hosts: ['more.example:8443'] },
    })
    expect(place.files()['got.txt']).toBe('the log-in')
    expect(existsSync(join(place.home, '.fake/history'))).toBe(false)
    expect(readFileSync(join(realHome, '.fake/login.json'), 'utf8')).toBe('the log-in')
    expect(place.ways.at(-1)?.hosts).toEqual([
      { host: 'more.example', port: 8443, own: true },
      { host: 'fake.example', port: 443, own: false },
    ])
    expect(events).toContainEqual({
      type: 'noticed',
      level: 'warning',
      text: 'fake renewed its log-in while it worked, in its own home only. If it asks you to log in again yourself, that is why.',
    })
  })
})

describe('codex without a sandbox of ours', () => {
  const script = (code: number) => `[ "$1" = sandbox ] && { echo "Refusing to create helper binaries" >&2; exit ${code}; }; ${WORK}`

  it('is not started when its own would let no command run', async () => {
    const { result } = await runScript(script(1), { adapter: { kind: 'codex' } })
    expect(result).toMatchObject({ status: 'failed', class: 'config' })
    expect(result.problem).toBe(
      'The sandbox of codex does not start here, so that it could run no command: Refusing to create helper binaries',
    )
  })

  it('is started when it works, and not asked where ours holds it', async () => {
    expect((await runScript(script(0), { adapter: { kind: 'codex' } })).result.status).toBe('completed')
    const place = plainWorkspace({ 'a.txt': 'old\n' }, { ...unconfined, level: 'os-sandbox' })
    expect((await runScript(script(1), { adapter: { kind: 'codex' }, place })).result.status).toBe('completed')
  })
})
