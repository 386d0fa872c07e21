import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { programEnv } from './env.ts'
import { which } from './which.ts'

const BASE = { PATH: '/usr/local/bin:/usr/bin:/bin' }

describe('the environment of programs', () => {
  it('has a home of its own, made with a folder for temporary files and an identity for git', () => {
    const home = join(temporaryFolder(), 'a/home')
    const env = programEnv({ home, from: BASE, realHome: '/nowhere' })
    expect(env).toMatchObject({ HOME: home, TMPDIR: join(home, 'tmp'), LANG: 'C.UTF-8', CI: '1', NO_COLOR: '1', GIT_OPTIONAL_LOCKS: '0' })
    expect(existsSync(join(home, 'tmp'))).toBe(true)
    expect(env['GIT_CONFIG_NOSYSTEM']).toBe('1')
    expect(readFileSync(env['GIT_CONFIG_GLOBAL'] ?? '', 'utf8')).toContain('email = reeve@localhost')
  })

  it('has a folder for temporary files again when a program has put a link or a file in its place', () => {
    const [home, victim] = [temporaryFolder(), temporaryFolder()]
    const temporary = join(home, 'tmp')
    for (const put of [
      () => symlinkSync(victim, temporary),
      () => symlinkSync('/nowhere/x', temporary),
      () => writeFileSync(temporary, ''),
    ]) {
      put()
      programEnv({ home, from: BASE, realHome: '/nowhere' })
      expect(lstatSync(temporary).isDirectory()).toBe(true)
      rmSync(temporary, { recursive: true })
    }
    expect(existsSync(victim), 'the link alone is removed').toBe(true)
  })

  it('passes on what is on the list and nothing else, least of all secrets', () => {
    const secrets = {
      ANTHROPIC_API_KEY: 'x',
      GITHUB_TOKEN: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      DB_PASSWORD: 'x',
      npm_config__auth: 'x',
      SSH_AUTH_SOCK: 'x',
      GIT_DIR: '/elsewhere',
      NODE_OPTIONS: '--require evil',
      LD_PRELOAD: 'evil.so',
      SOMETHING: 'else',
    }
    const kept = {
      JAVA_HOME: '/java',
      HTTPS_PROXY: 'http://127.0.0.1:3128',
      NODE_EXTRA_CA_CERTS: '/ca.pem',
      npm_config_registry: 'http://127.0.0.1/',
    }
    const env = programEnv({ home: temporaryFolder(), from: { ...BASE, ...secrets, ...kept }, realHome: '/nowhere' })
    expect(env).toMatchObject(kept)
    expect(Object.keys(env).filter((it) => it in secrets)).toEqual([])
  })

  it('finds toolchains that lie in the real home', () => {
    const realHome = temporaryFolder()
    for (const folder of ['.rustup', '.cargo', 'go/pkg/mod', '.pyenv', '.m2/repository'])
      mkdirSync(join(realHome, folder), { recursive: true })
    writeFiles(realHome, { '.npmrc': '' })
    const env = programEnv({ home: temporaryFolder(), from: { ...BASE, CARGO_HOME: '/opt/cargo' }, realHome })
    expect(env).toMatchObject({
      RUSTUP_HOME: join(realHome, '.rustup'),
      CARGO_HOME: '/opt/cargo',
      GOPATH: join(realHome, 'go'),
      GOMODCACHE: join(realHome, 'go/pkg/mod'),
      PYENV_ROOT: join(realHome, '.pyenv'),
      npm_config_userconfig: join(realHome, '.npmrc'),
      MAVEN_OPTS: `-Dmaven.repo.local=${join(realHome, '.m2/repository')}`,
    })
    expect(env['GRADLE_USER_HOME']).toBeUndefined()
  })

  it('leaves out of PATH what would find programs of the task, and what npm put there', () => {
    const from = { PATH: './bin::/usr/bin:node_modules/.bin:/app/node_modules/.bin:/usr/bin', npm_lifecycle_event: 'demo' }
    expect(programEnv({ home: temporaryFolder(), from, realHome: '/nowhere' })['PATH']).toBe('/usr/bin')
  })

  it('adds the run and what the caller gives', () => {
    const env = programEnv({ home: temporaryFolder(), from: BASE, realHome: '/nowhere', run: 'r1', extra: { PORT: '1' } })
    expect(env).toMatchObject({ REEVE_RUN: 'r1', PORT: '1' })
  })
})

describe('which', () => {
  it('finds a program on the path, and only executable files of absolute folders', async () => {
    const folder = temporaryFolder()
    writeFiles(folder, { tool: 'not executable' })
    expect(await which('sh', `.:${folder}:/bin:/usr/bin`)).toMatch(/^\/(?:usr\/)?bin\/sh$/)
    expect(await which('tool', folder)).toBeNull()
    expect(await which('no-such-program', '/bin')).toBeNull()
    expect(await which('/bin/sh', '')).toBe('/bin/sh')
    expect(await which('./sh', '/bin')).toBeNull()
    expect(await which('', '/bin')).toBeNull()
  })
})
