import { expect, it } from 'vitest'
import { cli } from '../../test/support/terminal.ts'
import type { DaemonControl, DaemonStatus } from '../client/daemon.ts'
import { ReeveError } from '../core/errors.ts'

const STATUS: DaemonStatus = {
  pid: 41873,
  version: '1.2.3',
  api: 1,
  url: 'http://127.0.0.1:7433',
  socket: '/s/daemon.sock',
  folder: '/s',
  log: '/s/logs/daemon.log',
  startedAt: 1_000_000 - 760_000,
  startedBy: 'command',
  draining: false,
  running: 2,
  queued: 5,
  drainSeconds: 20,
  requests: 0,
}

function daemon(status: DaemonStatus | null, more: Partial<DaemonControl> = {}): DaemonControl {
  return {
    status: () => Promise.resolve(status),
    stop: () => Promise.resolve(status !== null),
    restart: () => Promise.resolve(status ?? STATUS),
    async *logs() {},
    ...more,
  }
}

it('status tells where the daemon is and what it works on; without one it exits with 4', async () => {
  const there = await cli(['daemon', 'status'], { daemon: daemon(STATUS) })
  expect([there.exit, there.out.trimEnd().split('\n')]).toEqual([
    0,
    [
      'process  41873, reeve 1.2.3, for 12m 40s',
      'runs     2 at work, 5 queued',
      'address  http://127.0.0.1:7433',
      'socket   /s/daemon.sock',
      'state    /s',
      'log      /s/logs/daemon.log',
      'started  by a command; it ends by itself when nobody needs it',
    ],
  ])
  const served = await cli(['daemon', 'status'], { daemon: daemon({ ...STATUS, startedBy: 'serve', draining: true }) })
  expect(served.out).toMatch(/for 12m 40s, being stopped\n[^]*by reeve serve; it stays until somebody ends it\n$/)
  const json = await cli(['daemon', 'status', '--json'], { daemon: daemon(STATUS) })
  expect(JSON.parse(json.out)).toEqual({ running: true, daemon: STATUS })

  const none = await cli(['daemon', 'status'], { daemon: daemon(null) })
  expect([none.exit, none.out]).toEqual([4, 'No daemon is there. The next command that needs one starts it, or: reeve serve\n'])
  expect(JSON.parse((await cli(['daemon', 'status', '--json'], { daemon: daemon(null) })).out)).toEqual({ running: false })
})

it('stop says what it waits for and what becomes of the runs, also of a daemon that does not answer', async () => {
  const asked: object[] = []
  const stop: DaemonControl['stop'] = (how) => Promise.resolve(asked.push(how) > 0)
  const stopped = await cli(['daemon', 'stop'], { daemon: daemon(STATUS, { stop }) })
  expect([stopped.exit, stopped.out]).toEqual([
    0,
    '2 runs are at work: their steps have up to 20 s to end. At once: --now\nThe daemon has ended.\n' +
      'Runs that have not ended go on with the next daemon, which the next command starts.\n',
  ])
  const one = await cli(['daemon', 'stop'], { daemon: daemon({ ...STATUS, running: 1 }, { stop }) })
  expect(one.out).toContain('One run is at work: its step has up to 20 s to end.')
  const hung = daemon(null, { stop, status: () => Promise.reject(new ReeveError('daemon_failed', { problem: 'it hangs' })) })
  expect((await cli(['daemon', 'stop', '--now'], { daemon: hung })).out).toBe('The daemon has ended.\n')
  expect(asked).toEqual([{ now: false }, { now: false }, { now: true }])
  expect((await cli(['daemon', 'stop'], { daemon: daemon(null) })).out).toBe('No daemon was there.\n')
})

it('logs are lines for people, or as they are with --json; what is in them does nothing to a terminal', async () => {
  const lines = [
    '{"time":"2026-11-20T14:43:22.342Z","level":"info","message":"the daemon listens","pid":7,"url":"http://127.0.0.1:1"}',
    '{"time":"2026-11-20T14:43:23.000Z","level":"error","message":"a request failed","problem":"bad \\u001b[31m thing"}',
    'no line of ours',
  ]
  const wanted: object[] = []
  const logs: DaemonControl['logs'] = async function* (how) {
    wanted.push(how)
    yield* lines
  }
  const { exit, out } = await cli(['daemon', 'logs', '-n', '7', '-f'], { daemon: daemon(null, { logs }) })
  expect([exit, wanted]).toEqual([0, [{ lines: 7, follow: true }]])
  expect(out.split('\n')).toEqual([
    '2026-11-20T14:43:22.342Z info  the daemon listens pid=7 url=http://127.0.0.1:1',
    expect.stringMatching(/^2026-11-20T14:43:23\.000Z error a request failed problem=bad .*thing$/),
    'no line of ours',
    '',
  ])
  expect(out).not.toContain('\u001b')
  expect((await cli(['daemon', 'logs', '--json'], { daemon: daemon(null, { logs }) })).out).toBe(`${lines.join('\n')}\n`)
})
