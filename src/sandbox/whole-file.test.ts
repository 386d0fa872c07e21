import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { gitLink, writeWhole } from './whole-file.ts'

it('puts a file in place whole, also where many write it at once', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'passwd')
  await Promise.all(Array.from({ length: 20 }, () => writeWhole(path, 'root:x:0:0\n')))
  expect(readFileSync(path, 'utf8')).toBe('root:x:0:0\n')
  expect(readdirSync(folder)).toEqual(['passwd'])
})

it('leaves the file that a running sandbox shows as it is: a new one takes its place', async () => {
  const git = join(temporaryFolder(), 'git')
  const before = statSync(await gitLink(git)).ino
  const path = await gitLink(git)
  expect(readFileSync(path, 'utf8')).toBe(`gitdir: ${git}\n`)
  expect(statSync(path).ino).not.toBe(before)
})

it('leaves nothing half made when it cannot be put in place', async () => {
  const folder = temporaryFolder()
  await expect(writeWhole(folder, 'x')).rejects.toThrow()
  expect(readdirSync(join(folder, '..')).filter((it) => it.startsWith(`${folder.split('/').at(-1)}.`))).toEqual([])
})
