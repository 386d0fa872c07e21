import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import type { Client } from '../client/client.ts'
import { localUser } from '../core/actor.ts'
import { NO_LOG } from '../telemetry/logger.ts'
import { createEnding, endOnSignals } from './ending.ts'
import { guardGateway } from './gateway.ts'
import { untilIdle } from './idle.ts'
import { watchTrouble } from './trouble.ts'

it('the first signal asks for the end, the second hurries it, the third leaves at once', async () => {
  const exits: number[] = []
  const it = Object.assign(new EventEmitter(), { exit: (code: number) => void exits.push(code) })
  const ending = createEnding()
  const quiet = endOnSignals(it as unknown as NodeJS.Process, ending)
  expect(ending.wasAsked()).toBe(false)
  it.emit('SIGTERM', 'SIGTERM')
  expect([ending.wasAsked(), ending.hurry.aborted]).toEqual([true, false])
  it.emit('SIGINT', 'SIGINT')
  expect(ending.hurry.aborted).toBe(true)
  expect(await ending.asked).toEqual({ why: 'SIGTERM', exitCode: 0, quiet: false, lost: false })
  it.emit('SIGHUP', 'SIGHUP')
  expect(exits).toEqual([1])
  quiet()
  expect(it.listenerCount('SIGTERM')).toBe(0)
})

it('"now" does not wait', () => {
  const ending = createEnding()
  ending.end({ why: 'reeve daemon stop', now: true })
  expect(ending.hurry.aborted).toBe(true)
})

it('idle is who was not needed for the whole time; failing to look counts as needed', async () => {
  let now = 0
  const clock = { now: () => now, sleep: (ms: number) => Promise.resolve(void (now += ms)) }
  const looks = [true, false, 'fails', ...Array.from({ length: 50 }, () => false)]
  const busy = () => {
    const look = looks.shift()
    return look === 'fails' ? Promise.reject(new Error('no store')) : Promise.resolve(look === true)
  }
  await untilIdle({ idleMs: 1000, busy, clock, signal: new AbortController().signal })
  expect(now, 'a second after the third look').toBe(1300)
  await untilIdle({ idleMs: 1000, busy: () => Promise.resolve(true), clock, signal: AbortSignal.abort() })
})

it('errors that nobody caught are logged and end nothing; many at once do, and so does a damaged store', () => {
  const process = new EventEmitter()
  const said: string[] = []
  const broken: string[] = []
  let now = 0
  const log = { ...NO_LOG, error: (message: string, fields?: object) => void said.push(`${message} ${JSON.stringify(fields)}`) }
  const quiet = watchTrouble({ process: process as never, log, clock: { now: () => now }, onBroken: (why) => void broken.push(why) })
  process.emit('uncaughtException', 'a')
  process.emit('unhandledRejection', 'b')
  expect(said).toEqual(['an error that nobody caught {"problem":"a"}', 'a failure that nobody waited for {"problem":"b"}'])
  for (let at = 0; at < 100; at++) {
    now += 10_000
    process.emit('uncaughtException', 'now and then')
  }
  expect(broken).toEqual([])
  for (let at = 0; at < 20; at++) process.emit('uncaughtException', 'all at once')
  expect(broken.at(-1)).toMatch(/^\d+ errors that nobody caught within a minute$/)
  process.emit('unhandledRejection', Object.assign(new Error('malformed'), { errcode: 11 }))
  expect(broken.at(-1)).toBe('the store is damaged')
  quiet()
  expect(process.listenerCount('uncaughtException')).toBe(0)
})

it('who is served is known; what changes something is refused while it drains, and streams end with the reason', async () => {
  const opened = Promise.withResolvers<void>()
  const client = {
    resident: true,
    call: (name: string) => opened.promise.then(() => name),
    async *stream(_name: string, _input: unknown, signal: AbortSignal) {
      yield 1
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
    close: () => Promise.resolve(),
  } as unknown as Client
  const gateway = guardGateway({ as: () => client }, (name) => (name === 'runs.list' ? 'read' : 'write'))
  const one = gateway.as({ actor: localUser('you'), cwd: null, env: null })
  const call = one.call('runs.cancel', { run: 'r' })
  expect([gateway.open(), gateway.taken(), gateway.taken()]).toEqual([1, 1, 0])
  opened.resolve()
  await call
  expect(gateway.open()).toBe(0)

  const seen: unknown[] = []
  const watching = (async () => {
    for await (const it of one.stream('runs.work', { runs: ['r'] })) {
      seen.push(it)
      gateway.drain()
      await expect(one.call('runs.cancel', { run: 'r' })).rejects.toThrow('The daemon is being stopped and takes nothing new.')
      expect(await one.call('runs.list', {})).toBe('runs.list')
      expect(gateway.open()).toBe(1)
      gateway.leave()
    }
  })()
  await expect(watching).rejects.toThrow('The daemon is being stopped')
  expect([seen, gateway.open()]).toEqual([[1], 0])
})
