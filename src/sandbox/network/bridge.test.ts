import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished } from 'vitest'
import { itNeeds } from '../../../test/support/needs.ts'
import { runProgram } from '../../process/run-program.ts'
import { BRIDGE_FILE, bridgeWords } from './bridge.ts'
import type { Decision } from './decision.ts'
import { createProxy } from './proxy.ts'

const it = itNeeds(['bwrap', '--version'], ['curl', '--version'])
const NODE = realpathSync(process.execPath)
const SYSTEM = ['/usr', '/bin', '/lib', '/lib64', '/etc/ssl'].flatMap((it) => ['--ro-bind-try', it, it])

/** A sandbox without network whose only way out leads to `good.test` and `own.test:80`, both a server on loopback that echoes. */
async function inside() {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'reeve-bridge-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const server = createServer((request, response) => {
    let body = 0
    request.on('data', (data: Buffer) => (body += data.length))
    request.on('end', () => response.end(`${request.method} ${request.headers.host}${request.url} ${body}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as { port: number }
  const decisions: Decision[] = []
  const hosts = [
    { host: 'good.test', port: 443, own: false },
    { host: 'own.test', port: 80, own: true },
  ]
  const proxy = await createProxy({
    allow: hosts,
    socketPath: join(folder, 's', 'p'),
    onDecision: (it) => decisions.push(it),
    lookup: async () => ['203.0.113.5'],
    dial: () => connect({ port, host: '127.0.0.1', allowHalfOpen: true }),
  })
  onTestFinished(() => proxy.close())
  const at = { node: '/run/reeve/node', bridge: '/run/reeve/bridge.mjs', socket: '/run/reeve/s' }
  const words = bridgeWords(at, hosts)
  const mounts = [
    ...['--ro-bind', NODE, at.node, '--ro-bind', BRIDGE_FILE, at.bridge, '--ro-bind', proxy.socketPath, at.socket],
    ...['--ro-bind', dirname(dirname(NODE)), '/opt/node'],
  ]
  const run = (line: string, timeoutMs = 20_000) =>
    runProgram({
      argv: [
        'bwrap',
        '--unshare-all',
        '--die-with-parent',
        ...SYSTEM,
        '--proc',
        '/proc',
        '--dev',
        '/dev',
        '--tmpfs',
        '/tmp',
        ...mounts,
        '--',
        ...words,
        'sh',
        '-c',
        line,
      ],
      cwd: '/',
      env: { PATH: `/opt/node/bin:${process.env['PATH']}` },
      timeoutMs,
    })
  return { run, decisions }
}

describe('the bridge', () => {
  it('leads a program without network to the proxy, and nowhere else', async () => {
    const { run, decisions } = await inside()
    const plain = await run('curl -sS -d 12345 http://own.test/x')
    expect(`${plain.stdout}${plain.stderr}`).toBe('POST own.test/x 5')
    const chunked = await run('printf GET | curl -sS -X GET -T - http://own.test/y')
    expect(chunked.stdout).toBe('GET own.test/y 3')
    const refused = await run('curl -sSv https://evil.test/')
    expect(refused.stderr).toContain(
      'HTTP/1.1 403 reeve: evil.test:443 is not among the hosts this command may reach (good.test:443, own.test:80)',
    )
    const direct = await run("curl -sS --noproxy '*' --connect-timeout 2 https://203.0.113.5/; curl -sS --noproxy '*' http://own.test/")
    expect(direct.stderr).toMatch(/203\.0\.113\.5[^]*Could not resolve host/)
    expect(decisions.map((it) => `${it.outcome} ${it.target}`)).toEqual([
      'allowed own.test:80',
      'allowed own.test:80',
      'refused evil.test:443',
    ])
  })

  it('passes on how the command ended', async () => {
    const { run } = await inside()
    expect((await run('exit 7')).exitCode).toBe(7)
    expect((await run('kill -KILL $$')).exitCode).toBe(137)
    expect((await run('exec no-such-program')).exitCode).toBe(127)
    expect((await run('echo out; echo err >&2')).stdout).toBe('out\n')
  })

  it('passes signals on', async () => {
    const { run } = await inside()
    const { stdout, exitCode } = await run("trap 'echo asked; exit 3' TERM; sleep 10 & kill -TERM $PPID; wait")
    expect(`${stdout}${exitCode}`).toBe('asked\n3')
  })

  it('tells tools where the proxy is by the variables they know', async () => {
    const { run } = await inside()
    const { stdout } = await run('env')
    const env = Object.fromEntries(stdout.split('\n').map((it) => it.split(/=(.*)/s).slice(0, 2))) as Record<string, string>
    const names = [
      'HTTP_PROXY',
      'HTTPS_PROXY',
      'http_proxy',
      'https_proxy',
      'npm_config_proxy',
      'npm_config_https_proxy',
      'YARN_HTTPS_PROXY',
    ]
    const [proxy = '', ...others] = new Set(names.map((it) => env[it]))
    expect(proxy).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(others).toEqual([])
    expect([env['NO_PROXY'], env['no_proxy'], env['npm_config_noproxy']]).toEqual(Array(3).fill('localhost,127.0.0.1,::1'))
    expect(env['MAVEN_OPTS']).toContain(`-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=${proxy.split(':')[2]}`)
  })

  it('leaves loopback to the proxy where the user has a registry on this machine', () => {
    const at = { node: 'n', bridge: 'b', socket: 's' }
    expect(bridgeWords(at, [{ host: 'localhost', port: 4873, own: true }])).toEqual(['n', 'b', 's', '', '0'])
    expect(bridgeWords(at, [{ host: 'good.test', port: 443, own: false }])).toEqual(['n', 'b', 's', 'localhost,127.0.0.1,::1', '0'])
  })

  it("keeps the loopback to reeve's own servers, whatever else lies there", () => {
    const at = { node: 'n', bridge: 'b', socket: null }
    const services = [{ port: 20_001, socketPath: '/run/reeve/service-0.sock' }]
    expect(bridgeWords(at, [], services)).toEqual(['n', 'b', '-', 'localhost,127.0.0.1,::1', '1', '20001', '/run/reeve/service-0.sock'])
    expect(bridgeWords(at, [{ host: 'localhost', port: 4873, own: true }], services)[3]).toBe('127.0.0.1')
  })

  it('carries a large transfer, and many connections at once', async () => {
    const { run } = await inside()
    const large = await run('head -c 10000000 /dev/zero | curl -sS -T - http://own.test/big')
    expect(large.stdout).toBe('PUT own.test/big 10000000')
    const many = await run('for i in $(seq 30); do curl -sS -o /dev/null -w "%{http_code}\\n" http://own.test/$i & done; wait')
    expect(many.stdout).toBe('200\n'.repeat(30))
  })
})
