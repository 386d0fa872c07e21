import { EventEmitter } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, it, vi } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { terminalOf } from './terminal.ts'

const NOT_OPENED = () => Promise.reject(new Error('not opened'))

/** A process as far as the terminal looks at it. */
function fakeProcess(env: Record<string, string> = {}, tty = false) {
  const exits: number[] = []
  const stream = () => Object.assign(new PassThrough(), { isTTY: tty, columns: 20, rows: 5 })
  const it = Object.assign(new EventEmitter(), {
    stdin: stream(),
    stdout: stream(),
    stderr: stream(),
    env,
    cwd: () => '/here',
    exit: (code: number) => void exits.push(code),
  })
  return { it, exits, host: terminalOf(it as unknown as NodeJS.Process, '1', { open: NOT_OPENED, daemon: NOT_OPENED, serve: NOT_OPENED }) }
}

it('is redrawn only on a terminal that can, and never gets narrower than text can be laid out', () => {
  expect(fakeProcess({}, true).host).toMatchObject({ tty: true, interactive: true })
  expect(fakeProcess({ TERM: 'dumb' }, true).host).toMatchObject({ tty: false, interactive: false })
  expect(fakeProcess().host).toMatchObject({ tty: false, interactive: false })
  const { host } = fakeProcess({}, true)
  expect([host.columns(), host.rows()]).toEqual([40, 10])
  expect(host.resolve('a/../b')).toBe('/here/b')
})

it('reads files and standard input, and says what is not there', async () => {
  const { it, host } = fakeProcess()
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'a.yaml'), 'id: a')
  mkdirSync(join(folder, 'dir'))
  expect(await host.readFile(join(folder, 'a.yaml'))).toBe('id: a')
  await expect(host.readFile(join(folder, 'none'))).rejects.toThrow(`No file "${join(folder, 'none')}".`)
  await expect(host.readFile(join(folder, 'dir'))).rejects.toThrow('cannot be read')
  it.stdin.end('from a pipe')
  expect(await host.readFile('-')).toBe('from a pipe')
})

it('calls back at the first interruption, ends at the second, and listens no longer than asked', () => {
  const { it, exits, host } = fakeProcess()
  let called = 0
  const quiet = host.onInterrupt(() => (called += 1))
  it.emit('SIGINT')
  expect([called, exits]).toEqual([1, []])
  it.emit('SIGTERM')
  expect([called, exits]).toEqual([1, [130]])
  quiet()
  expect(it.listenerCount('SIGINT')).toBe(0)
})

it('asks one line, and takes an abort or the end of input for no answer', async () => {
  const { it, host } = fakeProcess()
  const answer = host.ask('Go on? ', new AbortController().signal)
  it.stdin.write('yes\n')
  expect(await answer).toBe('yes')
  const leave = new AbortController()
  const none = host.ask('Go on? ', leave.signal)
  leave.abort()
  expect(await none).toBeNull()
  const open = host.ask('Go on? ', new AbortController().signal)
  it.stdin.end()
  expect(await open, 'the end of input').toBeNull()
})

it('says nothing when nobody reads any more, and leaves the work under way once', () => {
  const { it, exits, host } = fakeProcess()
  const gone = () => it.stdout.emit('error', Object.assign(new Error('gone'), { code: 'EPIPE' }))
  gone()
  let left = 0
  host.onInterrupt(() => (left += 1))
  gone()
  gone()
  expect([left, exits]).toEqual([1, []])
  const quiet = host.onInterrupt(() => (left += 1))
  quiet()
  gone()
  expect(left, 'work that is over').toBe(1)
})

it('ticks until it is told to stop', async () => {
  const { host } = fakeProcess()
  let ticks = 0
  const stop = host.every(2, () => (ticks += 1))
  await vi.waitFor(() => expect(ticks).toBeGreaterThan(1))
  stop()
  const before = ticks
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(ticks).toBe(before)
})
