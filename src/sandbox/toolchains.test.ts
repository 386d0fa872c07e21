import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { programEnv } from '../process/env.ts'
import { toolchains } from './toolchains.ts'

interface Asked {
  /** Files of the user's home. */
  home: Readonly<Record<string, string>>
  /** Below the home: folders of the search path. */
  path?: readonly string[]
  env?: Readonly<Record<string, string>>
  read?: readonly string[]
}

/** What is shown of a home, and what of that is shown empty, as paths from the home. Node's own is left out: it lies anywhere. */
async function shownOf({ home, path = [], env = {}, read = [] }: Asked): Promise<{ shown: string[]; private: string[] }> {
  const realHome = temporaryFolder('reeve-user-')
  writeFiles(realHome, home)
  const from = { PATH: [...path.map((it) => join(realHome, it)), '/usr/bin'].join(':'), ...env }
  const own = programEnv({ home: temporaryFolder(), from, realHome, confined: { packages: undefined, installs: false } })
  const found = await toolchains({ env: own, realHome, from, read })
  const below = (all: readonly string[]) =>
    all
      .map((it) => relative(realHome, it) || '.')
      .filter((it) => !it.startsWith('..'))
      .toSorted()
  return { shown: below(found.shown), private: below(found.private) }
}

describe('what a sandbox shows of the user’s home', () => {
  it('is nothing where there are no toolchains: not the home, no keys, no settings', async () => {
    const home = {
      '.ssh/id_rsa': 'key',
      '.aws/credentials': 'key',
      '.npmrc': 'token',
      '.gitconfig': '',
      'work/secret.txt': '',
      '.netrc': '',
    }
    expect(await shownOf({ home })).toEqual({ shown: [], private: [] })
  })

  it('is the tools of cargo and not what it logs in with', async () => {
    const home = { '.cargo/bin/cargo': '', '.cargo/registry/index': '', '.cargo/credentials.toml': 'token', '.rustup/toolchains/x': '' }
    expect((await shownOf({ home })).shown).toEqual(['.cargo/bin', '.cargo/registry', '.rustup'])
  })

  it('is a version manager with its versions', async () => {
    const home = { '.nvm/versions/node/v24/bin/node': '', '.nvm/nvm.sh': '' }
    expect((await shownOf({ home })).shown).toEqual(['.nvm'])
  })

  it('is what Python’s user installs put below .local, not all that lies there', async () => {
    const home = {
      '.local/bin/tool': '',
      '.local/lib/python3/x.py': '',
      '.local/share/keyrings/login.keyring': 'secret',
      '.local/state/x': '',
    }
    expect((await shownOf({ home, path: ['.local/bin'] })).shown).toEqual(['.local/bin', '.local/lib'])
  })

  it('is a toolchain on the search path with its libraries, and a mere folder of programs alone', async () => {
    const home = { 'sdk/go/bin/go': '', 'sdk/go/lib/x': '', 'scripts/bin/mine': '', 'scripts/notes.txt': 'private' }
    expect((await shownOf({ home, path: ['sdk/go/bin', 'scripts/bin'] })).shown).toEqual(['scripts/bin', 'sdk/go'])
  })

  it('is of another project only its folder of programs', async () => {
    const home = { 'work/other/bin/tool': '', 'work/other/lib/x': '', 'work/other/.env': 'token', 'work/other/.git/HEAD': '' }
    expect((await shownOf({ home, path: ['work/other/bin'] })).shown).toEqual(['work/other/bin'])
  })

  it('is never the home itself nor a folder around it, whatever a variable says', async () => {
    const realHome = temporaryFolder('reeve-user-')
    mkdirSync(join(realHome, 'bin'))
    mkdirSync(join(realHome, 'lib'))
    const from = { PATH: `${join(realHome, 'bin')}:/usr/bin`, JAVA_HOME: realHome, GOROOT: dirname(realHome), GEM_HOME: '/' }
    const { shown } = await toolchains({ env: from, realHome, from, read: ['~/', realHome, '/'] })
    expect(shown.filter((it) => realHome === it || realHome.startsWith(it === '/' ? it : `${it}/`))).toEqual([])
    expect(shown).toContain(join(realHome, 'bin'))
  })

  it('is not the home by way of a link either', async () => {
    const realHome = temporaryFolder('reeve-user-')
    const link = join(temporaryFolder(), 'tools')
    symlinkSync(realHome, link)
    const { shown } = await toolchains({ env: { PATH: link }, realHome, from: {}, read: [link] })
    expect(shown.filter((it) => it === link || it === realHome)).toEqual([])
  })

  it('is a linked toolchain by both its names', async () => {
    const realHome = temporaryFolder('reeve-user-')
    writeFiles(realHome, { 'opt/jdk-21/bin/java': '' })
    symlinkSync(join(realHome, 'opt/jdk-21'), join(realHome, 'jdk'))
    const { shown } = await toolchains({ env: { JAVA_HOME: join(realHome, 'jdk') }, realHome, from: {}, read: [] })
    expect(shown).toEqual(expect.arrayContaining([join(realHome, 'jdk'), join(realHome, 'opt/jdk-21')]))
  })

  it('is what the user added, below the home or not; what is not there is no error', async () => {
    const home = { 'data/model.bin': '', '.config/tool/x': '' }
    expect((await shownOf({ home, read: ['~/data', '.config/tool', '~/missing'] })).shown).toEqual(['.config/tool', 'data'])
  })
})

describe('what is shown empty', () => {
  it('is every file of a toolchain that may hold a password', async () => {
    const home = {
      'maven/bin/mvn': '',
      'maven/lib/x': '',
      'maven/settings.xml': '<password/>',
      'maven/etc/npmrc': '_auth=x',
      'maven/.npmrc': '',
    }
    expect((await shownOf({ home, path: ['maven/bin'] })).private).toEqual(['maven/.npmrc', 'maven/etc/npmrc', 'maven/settings.xml'])
  })

  it('is not a folder of that name', async () => {
    expect((await shownOf({ home: { '.pyenv/credentials/module.py': '' } })).private).toEqual([])
  })
})
