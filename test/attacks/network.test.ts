import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { settingsSchema } from '../../src/core/settings.ts'
import { runProgram } from '../../src/process/run-program.ts'
import { createSandbox } from '../../src/sandbox/create.ts'
import type { Decision } from '../../src/sandbox/network/decision.ts'
import { createProxy, type ProxyOptions } from '../../src/sandbox/network/proxy.ts'
import { registriesOf } from '../../src/sandbox/network/registries/registries.ts'
import { theUser } from '../../src/sandbox/network/registries/user.ts'
import type { AllowedHost } from '../../src/sandbox/port.ts'
import { writeFiles } from '../support/folder.ts'
import { itNeeds } from '../support/needs.ts'
import { listenOn } from './canaries.ts'
import { MANIFEST, packageRegistry } from './package-registry.ts'

/** A proxy whose names and connections are made up: what it would have connected to is noted. */
async function proxy(options: Partial<ProxyOptions>) {
  const folder = realpathSync(mkdtempSync('/tmp/reeve-proxy-'))
  const server = createServer((client) => client.on('error', () => {}).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const dialled: string[] = []
  const decisions: Decision[] = []
  const made = await createProxy({
    allow: [{ host: 'good.test', port: 443, own: false }],
    socketPath: join(folder, 's'),
    onDecision: (it) => decisions.push(it),
    lookup: async () => ['203.0.113.5'],
    dial: (address) => {
      dialled.push(address)
      return connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    },
    ...options,
  })
  onTestFinished(async () => {
    await made.close()
    server.close()
    rmSync(folder, { recursive: true })
  })
  /** The status of the answer to a request for a tunnel. */
  const ask = (target: string) =>
    new Promise<string>((resolve) => {
      let answer = ''
      const client = connect({ path: made.socketPath, allowHalfOpen: true }, () =>
        client.end(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`),
      )
      client.on('data', (data) => {
        answer += data.toString('latin1')
      })
      client.on('error', () => {}).on('close', () => resolve(answer.split(' ')[1] ?? 'closed'))
    })
  return { ask, dialled, decisions }
}

/** A sandbox whose setup commands may reach what `registriesOf` says of the project's base, with this user's environment. */
async function install(
  base: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
  more: readonly AllowedHost[] = [],
) {
  const folder = realpathSync(mkdtempSync('/var/tmp/reeve-install-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const [tree, home, packages, userHome] = ['tree', 'home', 'packages', 'user'].map((it) => join(folder, it)) as [
    string,
    string,
    string,
    string,
  ]
  for (const it of [tree, home, packages, userHome]) mkdirSync(it, { mode: 0o700 })
  writeFiles(tree, base)
  const environment = { ...process.env, HOME: userHome, ...env }
  const { signal } = new AbortController()
  const settings = settingsSchema.parse({ sandbox: { level: 'os-sandbox' } }).sandbox
  const sandbox = await createSandbox({ settings, folder: join(folder, 's'), env: environment, realHome: userHome, signal })
  onTestFinished(() => sandbox.close())
  if (sandbox.report.level !== 'os-sandbox') throw new Error(`no sandbox: ${sandbox.report.reason}`)
  const files = { paths: Object.keys(base), read: async (path: string) => base[path] ?? null }
  const { hosts } = await registriesOf(files, theUser(environment, userHome))
  const decisions: Decision[] = []
  const profile = { kind: 'install', hosts: [...hosts, ...more], decided: (it: Decision) => decisions.push(it) } as const
  const place = { tree, home, packages }
  const run = async (line: string) =>
    await runProgram({
      argv: ['/bin/sh', '-c', line],
      cwd: tree,
      env: sandbox.env(place, profile),
      timeoutMs: 60_000,
      confinement: sandbox.confine(place, profile),
    })
  const decided = () => decisions.map((it) => `${it.outcome} ${it.target}`)
  return { tree, run, decided, decisions, hosts }
}

const sandboxed = itNeeds('bubblewrap', 'npm', 'curl')
const TIMES_OUT = 'timeout 3'

describe('the way out of a setup command', () => {
  sandboxed('18: is the proxy alone: not a connection by address, not a name, not another port of an allowed host', async () => {
    const registry = await packageRegistry()
    const canary = await listenOn({ host: '127.0.0.1', port: 0 })
    const { run, decided } = await install({ 'package-lock.json': registry.lockfile() }, { npm_config_registry: registry.url })
    const { stdout } = await run(`
      curl -s -o /dev/null -w 'registry %{http_code}\\n' ${registry.url}tiny/-/tiny-1.0.0.tgz
      curl -s -o /dev/null -w 'port %{http_code}\\n' http://127.0.0.1:${canary.port}/
      curl -s -o /dev/null -w 'tunnel %{http_connect}\\n' -p http://127.0.0.1:${canary.port}/
      curl -s -o /dev/null -w 'direct %{http_code}\\n' --noproxy '*' http://127.0.0.1:${canary.port}/
      ${TIMES_OUT} bash -c 'cat < /dev/tcp/127.0.0.1/${canary.port}' || echo tcp no
      ${TIMES_OUT} getent hosts example.com || echo name no
      ${TIMES_OUT} bash -c 'echo x > /dev/udp/192.0.2.1/53' || echo udp no`)
    expect(stdout.trim().split('\n')).toEqual(['registry 200', 'port 403', 'tunnel 403', 'direct 000', 'tcp no', 'name no', 'udp no'])
    expect(canary.heard).toEqual([])
    const other = `refused 127.0.0.1:${canary.port}`
    expect(decided()).toEqual([`allowed 127.0.0.1:${registry.port}`, other, other])
  })
})

describe('an allow-list of hosts', () => {
  it('19: is not passed by names that only look like an allowed one', async () => {
    const { ask, dialled } = await proxy({})
    const tricks = [
      ...['evil.test\0.good.test:443', 'good.test\0.evil.test:443', 'good.test.evil.test:443', 'good.test.:443', 'user@good.test:443'],
      ...['good.test:443@evil.test:443', 'good.test#@evil.test:443', 'good.test:22', 'good.test:0443x', 'xgood.test:443', 'good.test/:443'],
      ...['0x7f.1:443', '2130706433:443', '017700000001:443', '127.0.0.1:443', '[::1]:443', '[::ffff:127.0.0.1]:443', 'localhost:443'],
      ...['good%2etest:443', 'good。test:443', 'gооd.test:443', 'xn--gd-jbba.test:443', 'good.test\t:443', '*:443', ':443'],
    ]
    const answers = await Promise.all(tricks.map(async (it) => `${it} ${(await ask(it)).slice(0, 2)}`))
    expect(answers).toEqual(tricks.map((it) => `${it} 40`))
    expect(dialled).toEqual([])
    expect(await ask('GOOD.test:443')).toBe('200')
  })

  it('19: is not passed by an address that a lockfile names', async () => {
    const allow = ['127.0.0.1', '0x7f.1', '::1'].map((host) => ({ host, port: 443, own: false }))
    const { ask, dialled } = await proxy({ allow })
    const answers = await Promise.all(['127.0.0.1:443', '0x7f.1:443', '[::1]:443'].map(ask))
    expect(answers).toEqual(['403', '403', '403'])
    expect(dialled).toEqual([])
  })

  it('20: does not lead an allowed name to this machine, its network or the metadata service', async () => {
    const addresses = ['127.0.0.1', '169.254.169.254', '10.1.2.3', '172.16.0.1', '192.168.1.1', '100.64.0.1', '0.0.0.0']
    const hidden = ['::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::', '2001::1', 'fd00::1', 'fe80::1', '224.0.0.1']
    for (const address of [...addresses, ...hidden]) {
      const { ask, dialled } = await proxy({ lookup: async () => ['203.0.113.5', address] })
      expect(`${address} ${await ask('good.test:443')} ${dialled.join()}`).toBe(`${address} 403 `)
    }
  })

  it("20: leads the user's own name into the local network, but never to the metadata service", async () => {
    const own = { allow: [{ host: 'good.test', port: 443, own: true }] }
    expect(await (await proxy({ ...own, lookup: async () => ['10.1.2.3'] })).ask('good.test:443')).toBe('200')
    expect(await (await proxy({ ...own, lookup: async () => ['169.254.169.254'] })).ask('good.test:443')).toBe('403')
  })

  it('20: connects to the address that was checked when the name changes in between', async () => {
    let asked = 0
    const { ask, dialled } = await proxy({ lookup: async () => (asked++ === 0 ? ['203.0.113.5'] : ['127.0.0.1']) })
    expect(await ask('good.test:443')).toBe('200')
    expect(dialled).toEqual(['203.0.113.5'])
  })
})

describe('where packages come from', () => {
  sandboxed('36: is the registry: npm ci installs from it inside the sandbox, and runs no script of the package', async () => {
    const registry = await packageRegistry()
    const base = { 'package.json': MANIFEST, 'package-lock.json': registry.lockfile() }
    const { run, tree, decided, decisions } = await install(base, { npm_config_registry: registry.url })
    const { exitCode, stderr } = await run('npm ci --no-audit --no-fund')
    expect(`${exitCode} ${stderr}`).toBe('0 ')
    expect(existsSync(join(tree, 'node_modules/tiny/index.js'))).toBe(true)
    expect(existsSync(join(tree, 'node_modules/tiny/ran'))).toBe(false)
    expect(new Set(decided())).toEqual(new Set([`allowed 127.0.0.1:${registry.port}`]))
    expect(decisions[0]?.received).toBeGreaterThan(100)
  })

  sandboxed('36: is not another host that a change writes into the lockfile, and npm says why', async () => {
    const registry = await packageRegistry()
    const base = { 'package.json': MANIFEST, 'package-lock.json': registry.lockfile() }
    const { run, tree, decided } = await install(base, { npm_config_registry: registry.url })
    writeFiles(tree, { 'package-lock.json': registry.lockfile('https://evil.test/tiny/-/tiny-1.0.0.tgz') })
    const { exitCode, stderr } = await run('npm ci --no-audit --no-fund --fetch-retries=0')
    expect(exitCode).not.toBe(0)
    const allowed = `127.0.0.1:${registry.port}`
    expect(stderr).toContain(`reeve: evil.test:443 is not among the hosts this command may reach (${allowed})`)
    expect(new Set(decided())).toEqual(new Set(['refused evil.test:443']))
    expect(registry.asked).toEqual([])
  })

  sandboxed('36: is not another registry that the project names itself, in .npmrc or as a lockfile of a dependency', async () => {
    const registry = await packageRegistry()
    const canary = await listenOn({ host: '127.0.0.1', port: 0 })
    const base = {
      'package.json': MANIFEST,
      'package-lock.json': registry.lockfile(),
      '.npmrc': `registry=http://127.0.0.1:${canary.port}/\n`,
      'node_modules/x/package-lock.json': registry.lockfile('https://evil.test/x.tgz'),
    }
    const { run, hosts } = await install(base, {}, [{ host: '127.0.0.1', port: registry.port, own: true }])
    expect(hosts.map((it) => it.host)).not.toContain('evil.test')
    expect(hosts.map((it) => it.port)).not.toContain(canary.port)
    const { stderr } = await run('npm install --no-audit --no-fund --fetch-retries=0 other@1.0.0')
    expect(stderr).toContain(`reeve: 127.0.0.1:${canary.port} is no plain host name, and not among the hosts this command may reach`)
    expect(canary.heard).toEqual([])
  })

  const reachable = spawnSync('npm', ['ping', '--fetch-retries=0', '--fetch-timeout=5000'], { stdio: 'ignore' }).status === 0
  const real = reachable || process.env['CI'] ? sandboxed : (title: string) => it.skip(`${title} (not run: needs a package registry)`)

  real('36: is the registry this machine uses, when npm ci installs a package from it inside the sandbox', async () => {
    const view = spawnSync('npm', ['view', 'ms@2.1.3', 'dist', '--json'], { encoding: 'utf8' })
    const dist = JSON.parse(view.stdout) as { tarball: string; integrity: string }
    const root = { name: 'x', version: '1.0.0', dependencies: { ms: '2.1.3' } }
    const locked = { version: '2.1.3', resolved: dist.tarball, integrity: dist.integrity }
    const base = {
      'package.json': JSON.stringify(root),
      'package-lock.json': JSON.stringify({ ...root, lockfileVersion: 3, packages: { '': root, 'node_modules/ms': locked } }),
    }
    const { run, tree, decided } = await install(base)
    const { exitCode, stderr } = await run('npm ci --no-audit --no-fund')
    expect(`${exitCode} ${stderr}`).toBe('0 ')
    expect(existsSync(join(tree, 'node_modules/ms/index.js'))).toBe(true)
    expect(new Set(decided())).toEqual(new Set([`allowed ${new URL(dist.tarball).hostname}:443`]))
  })
})
