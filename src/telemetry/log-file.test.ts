import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { openLogFile } from './log-file.ts'

const clock = { now: () => 0 }

async function bench(options: { maxBytes?: number; files?: number } = {}) {
  const folder = temporaryFolder()
  const path = join(folder, 'daemon.log')
  const log = openLogFile({ path, maxBytes: 1000, files: 3, clock, ...options })
  const text = (name = 'daemon.log') => readFile(join(folder, name), 'utf8')
  return { folder, path, log, text }
}

it('appends lines, for the owner only, also to what was there', async () => {
  const { path, log, text } = await bench()
  await writeFile(path, 'before\n', { mode: 0o600 })
  log.write('one\n')
  log.write('two\n')
  await log.flush()
  expect(await text()).toBe('before\none\ntwo\n')
  const other = await bench()
  other.log.write('x\n')
  await other.log.flush()
  expect((await stat(other.path)).mode & 0o777).toBe(0o600)
})

it('begins a new file before one gets too large, loses no line and keeps as many files as asked', async () => {
  const { folder, log, text } = await bench({ maxBytes: 100, files: 20 })
  const lines = Array.from({ length: 60 }, (_, at) => `line ${at}\n`)
  for (const [at, line] of lines.entries()) {
    log.write(line)
    if (at % 7 === 0) await log.flush()
  }
  await log.flush()
  const names = (await readdir(folder)).toSorted((a, b) => Number(b.split('.')[2] ?? 0) - Number(a.split('.')[2] ?? 0))
  const parts = await Promise.all(names.map((it) => text(it)))
  expect(parts.join('')).toBe(lines.join(''))
  expect(parts.every((it) => it.length <= 100)).toBe(true)

  const few = await bench({ maxBytes: 20, files: 3 })
  for (const line of lines) {
    few.log.write(line)
    await few.log.flush()
  }
  expect((await readdir(few.folder)).toSorted()).toEqual(['daemon.log', 'daemon.log.1', 'daemon.log.2'])
  expect(await few.text('daemon.log')).toBe('line 58\nline 59\n')
})

it('removes files that are not kept any more', async () => {
  const { folder, log } = await bench({ maxBytes: 10, files: 2 })
  for (const number of [1, 2, 3]) await writeFile(join(folder, `daemon.log.${number}`), 'old\n')
  log.write('12345678\n')
  log.write('12345678\n')
  await log.flush()
  expect((await readdir(folder)).toSorted()).toEqual(['daemon.log', 'daemon.log.1'])
})

it('drops what cannot be written and says it once, with the number and the reason, as soon as it can', async () => {
  const { folder, path, log, text } = await bench()
  await mkdir(path)
  log.write('lost 1\n')
  await log.flush()
  log.write('lost 2\n')
  await log.flush()
  await rm(path, { recursive: true })
  log.write('kept 1\n')
  await log.flush()
  log.write('kept 2\n')
  await log.flush()
  const lines = (await text()).split('\n')
  expect(lines).toEqual([expect.stringContaining('2 lines of this log could not be written: EISDIR'), 'kept 1', 'kept 2', ''])
  expect(await readdir(folder)).toEqual(['daemon.log'])
})

it.runIf(process.platform === 'linux')('leaves no half line behind and never throws when the disk is full', async () => {
  const log = openLogFile({ path: '/dev/full', maxBytes: 1000, files: 1, clock })
  log.write('x\n')
  await expect(log.flush()).resolves.toBeUndefined()
})

it('goes on in a new file when somebody has moved the old one', async () => {
  const { folder, path, log, text } = await bench()
  log.write('one\n')
  await log.flush()
  await rename(path, join(folder, 'moved'))
  log.write('two\n')
  await log.flush()
  expect(await text('moved')).toBe('one\n')
  expect(await text()).toBe('two\n')
})

it('does not write through a link', async () => {
  const { folder, path, log, text } = await bench()
  await writeFile(join(folder, 'other'), 'untouched')
  await symlink(join(folder, 'other'), path)
  log.write('one\n')
  await log.flush()
  expect(await text('other')).toBe('untouched')
})

it('does not fill the memory when lines come faster than they can be written', async () => {
  const { log, text } = await bench({ maxBytes: 100_000_000 })
  const line = `${'x'.repeat(1_000_000)}\n`
  for (let at = 0; at < 20; at++) log.write(line)
  await log.flush()
  log.write('after\n')
  await log.flush()
  const written = await text()
  expect(written.length).toBeLessThan(9_000_000)
  expect(written.replaceAll(/x+/g, 'x')).toContain(
    '12 lines of this log could not be written: they came faster than they could be written"}\nx\n',
  )
  expect(written).toMatch(/x\nafter\n$/)
})
