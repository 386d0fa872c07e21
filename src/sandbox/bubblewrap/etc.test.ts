import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/folder.ts'
import { generateEtc } from './etc.ts'
import { seccompFilter } from './seccomp.ts'

const shownText = (shown: ReadonlyMap<string, string>, at: string) => readFileSync(shown.get(at) ?? '', 'utf8')

it('shows one user, at the home of programs, and no hosts but this one', async () => {
  const { shown } = await generateEtc(temporaryFolder(), 'x64', { name: 'ada', uid: 1000, gid: 100 })
  expect([...shown.keys()].toSorted()).toEqual(['/etc/group', '/etc/hosts', '/etc/nsswitch.conf', '/etc/passwd'])
  expect(shownText(shown, '/etc/passwd').split('\n')[0]).toBe('ada:x:1000:100::/reeve-home:/bin/sh')
  expect(shownText(shown, '/etc/group')).toContain('ada:x:100:')
  expect(shownText(shown, '/etc/hosts')).toBe('127.0.0.1 localhost reeve\n::1 localhost\n')
  expect(shownText(shown, '/etc/nsswitch.conf')).not.toContain('dns')
})

it.each([
  ['a name that would be another line', 'x\nroot:x:0:0', 'task:x:1000:100:'],
  ['a name with a colon', 'a:b', 'task:x:1000:100:'],
  ['a name of a domain', 'DOMAIN\\ada', 'task:x:1000:100:'],
])('does not write down %s', async (_, name, line) => {
  const { shown } = await generateEtc(temporaryFolder(), 'x64', { name, uid: 1000, gid: 100 })
  expect(shownText(shown, '/etc/passwd').split('\n')[0]).toContain(line)
  expect(shownText(shown, '/etc/passwd').split('\n')).toHaveLength(3)
})

it('calls user 0 root, as programs expect', async () => {
  const { shown } = await generateEtc(temporaryFolder(), 'x64', { name: 'toor', uid: 0, gid: 0 })
  expect(shownText(shown, '/etc/passwd')).toMatch(/^root:x:0:0:/)
})

it('writes the filter of the architecture', async () => {
  const folder = temporaryFolder()
  const { filter } = await generateEtc(folder, 'arm64', { name: 'ada', uid: 1000, gid: 100 })
  expect(readFileSync(filter).equals(seccompFilter('arm64'))).toBe(true)
})

it('is written by several at once without anybody seeing half of it', async () => {
  const folder = join(temporaryFolder(), 'etc')
  await Promise.all(Array.from({ length: 8 }, () => generateEtc(folder, 'x64', { name: 'ada', uid: 1000, gid: 100 })))
  expect(readdirSync(folder).toSorted()).toEqual(['filter.bpf', 'group', 'hosts', 'nsswitch.conf', 'passwd'])
})
