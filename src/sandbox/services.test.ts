import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest'
import { lastingFolder, temporaryFolder } from '../../test/support/folder.ts'
import { itNeeds } from '../../test/support/needs.ts'
import { settingsSchema } from '../core/settings.ts'
import { runProgram } from '../process/run-program.ts'
import type { Backend } from './backend.ts'
import { createBubblewrap } from './bubblewrap/backend.ts'
import { createLimits } from './limits/of-runs.ts'
import type { AllowedHost, Service } from './port.ts'

const it = itNeeds(['bwrap', '--version'], ['curl', '--version'])

/** A server of reeve's own at a unix socket, which says its name. */
async function serviceAt(port: number, name: string): Promise<Service> {
  const socketPath = join(temporaryFolder('reeve-s-'), 's')
  const server = createServer((request, response) => {
    let size = 0
    request.on('data', (piece: Buffer) => (size += piece.length)).on('end', () => response.end(`${name} ${request.headers.host} ${size}`))
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  onTestFinished(() => void server.close())
  return { port, socketPath }
}

describe('a service', () => {
  let held: Backend
  const shared = lastingFolder('reeve-sb-')
  afterAll(shared.remove)
  beforeAll(async () => {
    const { sandbox } = settingsSchema.parse({})
    const limits = await createLimits(sandbox.limits)
    const made = await createBubblewrap({
      settings: sandbox,
      folder: join(shared.folder, 'sandbox'),
      env: process.env,
      realHome: '/nonexistent',
      limitsOf: (place) => limits.of({ run: undefined, folders: [place.tree] }, 'run'),
    })
    if ('unavailable' in made) return
    held = made
  })

  async function run(line: string, services: readonly Service[], hosts: readonly AllowedHost[] = []): Promise<string> {
    const folder = temporaryFolder()
    const place = { tree: join(folder, 'tree'), home: join(folder, 'home') }
    mkdirSync(place.tree)
    mkdirSync(join(place.home, 'tmp'), { recursive: true })
    const profile = { kind: 'agent', secrets: {}, hosts, services } as const
    const { stdout, stderr } = await runProgram({
      argv: ['sh', '-c', line],
      cwd: place.tree,
      env: held.env(place, profile),
      timeoutMs: 20_000,
      confinement: held.confine(place, profile),
    })
    return `${stdout}${stderr}`
  }

  it('is reached at its port of the loopback, straight, without a proxy', async () => {
    const services = [await serviceAt(20_001, 'one'), await serviceAt(20_002, 'two')]
    const said = await run(
      'curl -sS http://127.0.0.1:20001/; echo; head -c 3000000 /dev/zero | curl -sS -T - http://localhost:20002/; echo; env | grep -ci _proxy',
      services,
    )
    expect(said).toBe('one 127.0.0.1:20001 0\ntwo localhost:20002 3000000\n0\n')
  })

  it('is all there is: no network, and no service of another program', async () => {
    const [own, other] = [await serviceAt(20_001, 'own'), await serviceAt(20_003, 'other')]
    const machine = createServer((_, response) => response.end('other'))
    await new Promise<void>((resolve) => machine.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void machine.close())
    const { port } = machine.address() as AddressInfo
    const said = await run(
      `curl -sS --connect-timeout 2 http://127.0.0.1:20003/
       curl -sS --unix-socket ${other.socketPath} http://x/
       curl -sS --unix-socket /run/reeve/service-1.sock http://x/
       curl -sS --connect-timeout 2 http://127.0.0.1:${port}/
       curl -sS --connect-timeout 2 http://203.0.113.5/
       ls /run/reeve`,
      [own],
    )
    expect(said).not.toContain('other')
    expect(said.match(/^curl: \(7\)/gm)).toHaveLength(5)
    expect(said).toContain('bridge.mjs\nservice-0.sock\n')
  })

  it('goes beside hosts that are reached by the proxy', async () => {
    const service = await serviceAt(20_001, 'one')
    const hosts = [{ host: 'maker.test', port: 443, own: false }]
    const said = await run('curl -sS http://127.0.0.1:20001/; echo; curl -sS https://evil.test/; echo $NO_PROXY', [service], hosts)
    expect(said).toContain('one 127.0.0.1:20001 0\n')
    expect(said).toContain('CONNECT tunnel failed, response 403')
    expect(said).toContain('localhost,127.0.0.1,::1\n')
  })
})
