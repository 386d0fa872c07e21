import { appendFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { followLog, lastLinesOf } from './log-lines.ts'

it('the last lines of a log, without the half one at its end; none where there is no file', async () => {
  const path = join(temporaryFolder(), 'daemon.log')
  expect(await lastLinesOf(path, 5)).toEqual([])
  await writeFile(path, '')
  expect(await lastLinesOf(path, 5)).toEqual([])
  await writeFile(path, 'one\ntwo\nthree\nhal')
  expect(await lastLinesOf(path, 2)).toEqual(['two', 'three'])
  expect(await lastLinesOf(path, 0)).toEqual([])
  expect(await lastLinesOf(path, 50)).toEqual(['one', 'two', 'three'])
})

it('follows a log over its beginning, half lines, long lines and a new file, and loses nothing', async () => {
  const path = join(temporaryFolder(), 'daemon.log')
  const leave = new AbortController()
  const seen: string[] = []
  const following = (async () => {
    for await (const line of followLog(path, 1, leave.signal)) seen.push(line)
  })()
  const until = (lines: string[]) => expect.poll(() => seen, { timeout: 10_000, interval: 10 }).toEqual(lines)
  const long = `-${'é'.repeat(60_000)}`
  await writeFile(path, 'one\ntw')
  await until(['one'])
  await appendFile(path, `o\n${long}\n`)
  await until(['one', 'two', long])
  await appendFile(path, 'last of the old\n')
  await rename(path, `${path}.1`)
  await writeFile(path, 'first of the new\n')
  await until(['one', 'two', long, 'last of the old', 'first of the new'])
  leave.abort()
  await following
})
