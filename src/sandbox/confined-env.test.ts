import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { settingsSchema } from '../core/settings.ts'
import type { BackendRequest } from './backend.ts'
import { confinedEnv } from './confined-env.ts'
import type { Place, Profile } from './port.ts'

interface Asked {
  env?: Readonly<Record<string, string>>
  home?: Readonly<Record<string, string>>
  profile?: Profile
  packages?: string
  installScripts?: boolean
}

function envOf({ env = {}, home = {}, profile = { kind: 'run' }, packages, installScripts = false }: Asked): Record<string, string> {
  const realHome = temporaryFolder('reeve-user-')
  writeFiles(realHome, home)
  const request: BackendRequest = {
    settings: settingsSchema.parse({ sandbox: { install_scripts: installScripts } }).sandbox,
    folder: '/nowhere',
    env: { PATH: '/usr/bin', ...env },
    realHome,
    limitsOf: () => {
      throw new Error('not asked')
    },
  }
  const own = temporaryFolder()
  const place: Place = { tree: own, home: join(own, 'home'), ...(packages === undefined ? {} : { packages }) }
  return confinedEnv(request, place, profile)
}

const INSTALL: Profile = { kind: 'install', hosts: [] }

describe('the environment in a sandbox', () => {
  it('names no proxy of the user’s: the only way out is the door', () => {
    const proxies = { HTTP_PROXY: 'http://p.test', https_proxy: 'http://p.test', NO_PROXY: 'x', npm_config_proxy: 'http://p.test' }
    expect(Object.keys(envOf({ env: proxies })).filter((it) => /proxy/i.test(it))).toEqual([])
  })

  it('has no password in the address of a registry', () => {
    const env = envOf({ env: { PIP_INDEX_URL: 'https://ada:secret@mirror.test/simple', GOPROXY: 'https://t0ken@go.test,direct' } })
    expect(env).toMatchObject({ PIP_INDEX_URL: 'https://mirror.test/simple', GOPROXY: 'https://go.test,direct' })
    expect(JSON.stringify(env)).not.toMatch(/secret|t0ken/)
  })

  it('leads to no file of the user’s that may hold a password, and to no cache that builds write', () => {
    const env = envOf({ home: { '.npmrc': '_authToken=x', '.pip/pip.conf': '', '.ccache/x': '', '.gradle/x': '', '.rustup/x': '' } })
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining([expect.stringMatching(/userconfig|PIP_CONFIG_FILE|CCACHE|GRADLE_USER/)]))
    expect(env['RUSTUP_HOME']).toMatch(/\.rustup$/)
  })

  it('leads what is downloaded into the packages of the project, and later programs to them', () => {
    const packages = temporaryFolder()
    expect(envOf({ packages, profile: INSTALL })).toMatchObject({
      npm_config_cache: join(packages, 'npm_config_cache'),
      CARGO_HOME: join(packages, 'cargo_home'),
      MAVEN_OPTS: `-Dmaven.repo.local=${join(packages, 'maven')}`,
    })
    // Nothing has been downloaded: the user's own packages, where they may be shown.
    const later = envOf({ packages, home: { '.cargo/registry/x': '', '.npm/x': '' } })
    expect(later['CARGO_HOME']).toMatch(/\.cargo$/)
    expect(later['npm_config_cache']).toBeUndefined()
    writeFiles(packages, { 'cargo_home/registry/x': '' })
    expect(envOf({ packages, home: { '.cargo/registry/x': '' } })['CARGO_HOME']).toBe(join(packages, 'cargo_home'))
  })

  it('lets packages run scripts of their own only where that was asked for', () => {
    const off = { npm_config_ignore_scripts: 'true', YARN_ENABLE_SCRIPTS: 'false', COMPOSER_NO_SCRIPTS: '1' }
    expect(envOf({ profile: INSTALL })).toMatchObject(off)
    for (const name of Object.keys(off)) expect(envOf({ profile: INSTALL, installScripts: true }), name).not.toHaveProperty(name)
    for (const name of Object.keys(off)) expect(envOf({}), name).not.toHaveProperty(name)
  })

  it('does not let package managers ask again and again where nobody answers', () => {
    expect(envOf({})).toMatchObject({ npm_config_fetch_retries: '0', PIP_RETRIES: '0' })
    expect(envOf({ profile: INSTALL })).not.toHaveProperty('npm_config_fetch_retries')
  })

  it('gives an agent its own secrets, and nobody else', () => {
    const agent: Profile = { kind: 'agent', hosts: [], secrets: { PROVIDER_KEY: 'k' } }
    const env = { PROVIDER_KEY: 'other', OTHER_TOKEN: 'x' }
    expect(envOf({ env, profile: agent })['PROVIDER_KEY']).toBe('k')
    expect(envOf({ env, profile: agent })).not.toHaveProperty('OTHER_TOKEN')
    expect(envOf({ env })).not.toHaveProperty('PROVIDER_KEY')
  })
})
