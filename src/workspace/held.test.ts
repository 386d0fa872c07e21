import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import type { IsolationLevel } from '../core/isolation.ts'
import { programEnv } from '../process/env.ts'
import { unconfined } from '../process/unconfined.ts'
import type { Decision } from '../sandbox/network/decision.ts'
import type { Place, Profile, Sandbox } from '../sandbox/port.ts'
import { createHolder, type HolderOptions } from './held.ts'
import type { Registries } from './registries.ts'

interface Bench {
  options: HolderOptions
  /** What the sandbox was asked to hold. */
  asked: { place: Place; profile: Profile }[]
  dataDir: string
  /** Where packages of all runs of the project lie. */
  shared: () => string
}

const NPMRC = { path: '.npmrc', text: 'registry=https://mirror.example/\n' }
const CARGO = { path: 'config.toml', variable: 'CARGO_HOME', text: '[source]\n' } as const

function bench(changes: Partial<HolderOptions> & { level?: IsolationLevel; registries?: Partial<Registries> } = {}): Bench {
  const { level = 'os-sandbox', registries = {}, ...more } = changes
  const dataDir = temporaryFolder('reeve-data-')
  const asked: Bench['asked'] = []
  const sandbox: Sandbox = {
    report: { level, by: 'a fake', holds: [], reason: '', improve: null },
    env: ({ home, packages }, { kind }) =>
      programEnv({ home, from: {}, realHome: '/nowhere', confined: { packages, installs: kind === 'install' } }),
    confine: (place, profile) => {
      asked.push({ place, profile })
      return unconfined
    },
    close: () => Promise.resolve(),
  }
  const root = join(dataDir, 'runs/r1')
  const options: HolderOptions = {
    keeping: { sandbox, registries: () => Promise.resolve({ hosts: [], files: [], readable: [], ...registries }) },
    project: { root: '/projects/one', gitDir: join(dataDir, 'project.git') },
    folders: { root, home: join(root, 'home'), git: join(root, 'git') },
    dataDir,
    run: 'r1',
    setup: ['npm ci'],
    trusted: true,
    ...more,
  }
  const packages = join(dataDir, 'cache/packages')
  return { options, asked, dataDir, shared: () => join(packages, readdirSync(packages)[0] ?? 'none') }
}

describe('what programs of a run see', () => {
  it('is the tree, the home of the run, its private git directory and the objects of the repository', async () => {
    const { options, asked } = bench()
    const holder = await createHolder(options)
    holder.run('/trees/t', { git: options.folders.git })
    const [{ place } = asked[0]!] = asked
    expect(place).toMatchObject({ tree: '/trees/t', home: options.folders.home, git: options.folders.git, run: 'r1' })
    expect(place.readable).toEqual([options.folders.git, join(options.project.gitDir, 'objects')])
    expect(place.writable).toBeUndefined()
  })

  it('is also what the repository borrows its objects from, and what that borrows; a circle ends', async () => {
    const { options, asked, dataDir } = bench()
    const [one, two] = [join(dataDir, 'one/objects'), join(dataDir, 'two/objects')]
    const own = join(options.project.gitDir, 'objects')
    writeFiles(dataDir, {
      'project.git/objects/info/alternates': `# lent\n${one}\n`,
      'one/objects/info/alternates': '../../two/objects\n',
      'two/objects/info/alternates': `${own}\n`,
    })
    const holder = await createHolder(options)
    holder.run('/trees/t')
    expect(asked[0]?.place.readable).toEqual([options.folders.git, own, one, two])
  })

  it('is the home of an agent where its commands have one', async () => {
    const { options, asked } = bench()
    const { env } = (await createHolder(options)).run('/trees/t', { home: join(options.folders.root, 'agent-home') })
    expect(env['HOME']).toBe(join(options.folders.root, 'agent-home'))
    expect(asked[0]?.place.home).toBe(env['HOME'])
  })
})

describe('packages', () => {
  it('of a base are shared by the runs of a project, and of no other', async () => {
    const one = bench()
    await createHolder({ ...one.options, run: 'r1' }).then((it) => it.run('/t'))
    await createHolder({ ...one.options, run: 'r2' }).then((it) => it.run('/t'))
    await createHolder({ ...one.options, project: { ...one.options.project, root: '/projects/two' } }).then((it) => it.run('/t'))
    const [first, second, other] = one.asked.map((it) => it.place.packages)
    expect(first).toContain(join(one.dataDir, 'cache/packages/'))
    expect(second).toBe(first)
    expect(other).not.toBe(first)
  })

  it('of a change are a copy of its own, which begins with what is shared and never goes back', async () => {
    const { options, asked, shared } = bench()
    const base = await createHolder(options)
    writeFiles(shared(), { 'npm_config_cache/a': 'a' })
    const change = await base.ofChange()
    change.run('/t')
    const own = asked[0]?.place.packages ?? ''
    expect(own).toBe(join(options.folders.root, 'packages'))
    expect(readFileSync(join(own, 'npm_config_cache/a'), 'utf8')).toBe('a')
    writeFiles(own, { 'npm_config_cache/b': 'b' })
    await base.ofChange()
    expect(readdirSync(join(own, 'npm_config_cache'))).toEqual(['a', 'b'])
    expect(readdirSync(join(shared(), 'npm_config_cache'))).toEqual(['a'])
  })

  it.each([
    ['without a sandbox', { level: 'guarded' }],
    ['of a project without a setup', { setup: [] }],
  ] as const)('%s are the user’s', async (_, changes) => {
    const { options, asked } = bench(changes)
    ;(await createHolder(options)).run('/t')
    expect(asked[0]?.place).not.toHaveProperty('packages')
  })
})

describe('a setup command', () => {
  it('reaches the registries, is shown what they need, and remembers what it was refused', async () => {
    const hosts = [{ host: 'mirror.example', port: 443, own: false }]
    const heard: Decision[] = []
    const { options, asked } = bench({ registries: { hosts, readable: ['/certificates.pem'] } })
    const holder = await createHolder({ ...options, keeping: { ...options.keeping, decided: (it) => heard.push(it) } })
    const { refused } = await holder.install('/t')
    const { place, profile } = asked[0]!
    expect(profile).toMatchObject({ kind: 'install', hosts })
    expect(place.readable).toContain('/certificates.pem')
    const decision = {
      target: 'evil.example:443',
      reason: 'not-allowed',
      sentence: 'No.',
      address: null,
      sent: 0,
      received: 0,
      durationMs: 0,
    }
    if (profile.kind !== 'install') throw new Error('no install')
    profile.decided?.({ ...decision, outcome: 'allowed' } as Decision)
    profile.decided?.({ ...decision, outcome: 'refused' } as Decision)
    expect(refused).toEqual(['No.'])
    expect(heard.map((it) => it.outcome)).toEqual(['allowed', 'refused'])
  })

  it('without a sandbox asks for no registries: there is no proxy that could refuse', async () => {
    const { options, asked } = bench({ level: 'guarded' })
    const registries = () => Promise.reject(new Error('asked'))
    await (await createHolder({ ...options, keeping: { ...options.keeping, registries } })).install('/t')
    expect(asked[0]?.profile).toEqual({ kind: 'install', hosts: [] })
  })

  it('finds the user’s configuration without its secrets in its home, or where its variable leads', async () => {
    const { options, shared } = bench({ registries: { files: [NPMRC, CARGO] } })
    await (await createHolder(options)).install('/t')
    expect(readFileSync(join(options.folders.home, '.npmrc'), 'utf8')).toBe(NPMRC.text)
    expect(readFileSync(join(shared(), 'cargo_home/config.toml'), 'utf8')).toBe(CARGO.text)
  })

  it('does not have that written through a link that an earlier program has planted', async () => {
    const { options, dataDir } = bench({ registries: { files: [NPMRC] } })
    const holder = await createHolder(options)
    writeFiles(dataDir, { 'precious.txt': 'mine' })
    mkdirSync(options.folders.home, { recursive: true })
    symlinkSync(join(dataDir, 'precious.txt'), join(options.folders.home, '.npmrc'))
    await holder.install('/t')
    expect(readFileSync(join(dataDir, 'precious.txt'), 'utf8')).toBe('mine')
    expect(lstatSync(join(options.folders.home, '.npmrc')).isFile()).toBe(true)
  })

  it('is refused where a folder on the way to it has become a link', async () => {
    const { options, dataDir } = bench({ registries: { files: [{ path: '.config/pip/pip.conf', text: '[global]\n' }] } })
    const holder = await createHolder(options)
    mkdirSync(join(dataDir, 'precious/pip'), { recursive: true })
    mkdirSync(options.folders.home, { recursive: true })
    symlinkSync(join(dataDir, 'precious'), join(options.folders.home, '.config'))
    await expect(holder.install('/t')).rejects.toMatchObject({ code: 'path_refused' })
    expect(readdirSync(join(dataDir, 'precious/pip'))).toEqual([])
  })
})

describe('a program that is an agent itself', () => {
  const way = { name: 'claude', hosts: [], secrets: { KEY: 'k' }, readable: ['/opt/claude'], services: [{ port: 4000, socketPath: '/s' }] }

  it('has a home of its own within the run, its secrets, its installation and the way out that it needs', async () => {
    const { options, asked } = bench()
    const held = (await createHolder(options)).agent('/trees/t', way, { git: options.folders.git })
    expect(held.home).toBe(join(options.folders.root, 'agents/claude'))
    const { place, profile } = asked[0]!
    expect(place).toMatchObject({ tree: '/trees/t', home: held.home, git: options.folders.git })
    expect(place.readable).toContain('/opt/claude')
    expect(place).not.toHaveProperty('readOnly')
    expect(profile).toEqual({ kind: 'agent', hosts: [], secrets: { KEY: 'k' }, services: way.services })
  })

  it('may be shown the checkout read-only', async () => {
    const { options, asked } = bench()
    ;(await createHolder(options)).agent('/trees/t', { ...way, readOnly: true })
    expect(asked[0]?.place.readOnly).toBe(true)
  })

  it('is not shown what it would start by itself', async () => {
    const { options, asked } = bench()
    ;(await createHolder(options)).agent('/trees/t', { ...way, hidden: ['.tool/plugins', 'tool.json'] })
    expect(asked[0]?.place.hidden).toEqual(['/trees/t/.tool/plugins', '/trees/t/tool.json'])
  })

  it('has no home outside the run', async () => {
    const holder = await createHolder(bench().options)
    expect(() => holder.agent('/trees/t', { ...way, name: '../x' })).toThrow('"../x" is no name of a home.')
  })
})
