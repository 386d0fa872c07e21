import { lstatSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../../test/support/folder.ts'
import { copyLogin, installationOf, writeInHome } from './home.ts'

describe('files of a home', () => {
  it('are for their owner only, whatever was there', async () => {
    const home = temporaryFolder()
    writeFiles(home, { 'old.json': 'x', 'folder/inside': 'x', plain: 'x' })
    await writeInHome(home, [
      { path: 'old.json', text: 'new' },
      { path: 'folder', text: 'a file now' },
      { path: 'plain/deep/file', text: 'deep' },
    ])
    expect(['old.json', 'folder', 'plain/deep/file'].map((it) => readFileSync(join(home, it), 'utf8'))).toEqual([
      'new',
      'a file now',
      'deep',
    ])
    expect(lstatSync(join(home, 'old.json')).mode & 0o777).toBe(0o600)
  })

  it('do not lie outside', async () => {
    await expect(writeInHome(temporaryFolder(), [{ path: '../x', text: '' }])).rejects.toThrow('The path "../x" is refused')
  })
})

describe('a log-in', () => {
  it('is copied with its folder, afresh, and never back', async () => {
    const [real, home] = [temporaryFolder(), temporaryFolder()]
    writeFiles(real, { '.tool/auth.json': 'one', '.tool/keys/a': 'a', '.tool/keys/deep/b': 'b', '.tool/history': 'private' })
    const login = await copyLogin(real, home, ['.tool/auth.json', '.tool/keys', '.tool/missing'])
    expect(login?.files).toEqual(['.tool/auth.json', '.tool/keys/a', '.tool/keys/deep/b'])
    expect(await login?.renewed()).toBe(false)
    writeFileSync(join(home, '.tool/auth.json'), 'two')
    expect(await login?.renewed()).toBe(true)
    expect(readFileSync(join(real, '.tool/auth.json'), 'utf8')).toBe('one')
    await copyLogin(real, home, ['.tool/auth.json'])
    expect(readFileSync(join(home, '.tool/auth.json'), 'utf8')).toBe('one')
  })

  it('that is not there is none', async () => {
    expect(await copyLogin(temporaryFolder(), temporaryFolder(), ['.tool/auth.json'])).toBeNull()
  })
})

describe('an installation', () => {
  it.each([
    ['the folder of the packages that a launcher lies in', 'lib/node_modules/@maker/tool/bin/tool.js', {}, 'lib/node_modules'],
    ['the package that it was built in', 'home/src/tool/dist/cli.js', { 'home/src/tool/package.json': '{}' }, 'home/src/tool'],
    ['an environment of Python', 'home/venvs/tool/bin/tool', { 'home/venvs/tool/pyvenv.cfg': '' }, 'home/venvs/tool'],
    ['the folder of a script', 'home/.share/tool/1.0/tool', {}, 'home/.share/tool/1.0'],
    ['the file alone in a folder of programs', 'home/.local/bin/tool', {}, 'home/.local/bin/tool'],
    ['the file alone in a folder of all kinds of things', 'home/Downloads/tool', {}, 'home/Downloads/tool'],
    ['the file alone where programs keep their keys', 'home/.config/tool', {}, 'home/.config/tool'],
    ['the file alone in the home', 'home/tool', { 'home/package.json': '{}' }, 'home/tool'],
    ['the file alone above the home', 'tool', {}, 'tool'],
  ])('is %s', async (_, program, files, shown) => {
    const root = realpathSync(temporaryFolder())
    mkdirSync(join(root, 'home'), { recursive: true })
    writeFiles(root, { [program]: '#!/bin/sh\n', ...files })
    expect(await installationOf(join(root, program), join(root, 'home'))).toEqual({ real: join(root, program), shown: join(root, shown) })
  })

  it('is the file alone of a program that is no script', async () => {
    const root = realpathSync(temporaryFolder())
    writeFiles(root, { 'opt/tool/tool': '\x7fELF' })
    expect((await installationOf(join(root, 'opt/tool/tool'), join(root, 'home'))).shown).toBe(join(root, 'opt/tool/tool'))
  })

  it('is where the link leads to that it is found by', async () => {
    const root = realpathSync(temporaryFolder())
    writeFiles(root, { 'opt/tool/tool': '#!/bin/sh\n', 'bin/x': '' })
    symlinkSync('../opt/tool/tool', join(root, 'bin/tool'))
    expect(await installationOf(join(root, 'bin/tool'), join(root, 'home'))).toEqual({
      real: join(root, 'opt/tool/tool'),
      shown: join(root, 'opt/tool'),
    })
  })
})
