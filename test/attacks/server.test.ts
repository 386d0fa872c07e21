import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { auditKey } from '../../src/access/seal.ts'
import { type Actor, localUser } from '../../src/core/actor.ts'
import { settingsSchema } from '../../src/core/settings.ts'
import { writePlace } from '../../src/daemon/place.ts'
import { privateFolder } from '../../src/daemon/private-files.ts'
import { tokenOf } from '../../src/daemon/token.ts'
import { type Listening, listen, type Where } from '../../src/http/listen.ts'
import { queueLimits } from '../../src/operations/queue-settings.ts'
import { openStore } from '../../src/store/open.ts'
import { TOY_FILES, testApp } from '../support/app.ts'
import { writeFiles } from '../support/folder.ts'
import { testHttp } from '../support/http.ts'
import { itNeeds } from '../support/needs.ts'
import { makeRepository } from '../support/repository.ts'
import { bench } from './bench.ts'

const OPERATOR: Actor = { kind: 'key', name: 'key:ci', role: 'operator', projects: null }

/** A server that answers everybody with what nobody in a run may see, and what it was asked. */
async function canaryServer(where: Where, secret: string): Promise<Listening & { heard: string[] }> {
  const heard: string[] = []
  const fetch = async (request: Request) => {
    heard.push(request.url)
    return new Response(secret)
  }
  const listening = await listen({ fetch }, where)
  onTestFinished(() => listening.close())
  return { ...listening, heard }
}

describe('the daemon', () => {
  itNeeds('bubblewrap')('22: is not reached by a program of a run: its socket, its port, its token, its records', async () => {
    const { home, shell } = await bench()
    const state = join(home, '.local/state/reeve')
    await privateFolder(state)
    const [token, key] = [await tokenOf(state), await auditKey(state)]
    await (await openStore(state)).close()
    const socket = join(state, 'daemon.sock')
    const [local, tcp] = [await canaryServer({ socket }, token), await canaryServer({ host: '127.0.0.1', port: 0 }, token)]
    const url = `http://127.0.0.1:${tcp.port}`
    const startedBy = 'command' as const
    await writePlace(state, { pid: 1, process: '1', version: '1', api: 1, socket, url, token, startedAt: 0, startedBy, log: '/l' })
    const { stdout } = await shell(`
        curl -sm 2 --unix-socket ${socket} http://localhost/health
        curl -sm 2 ${url}/health
        ls -a ${state}
        cat ${['token', 'daemon.json', 'audit.key', 'store.db'].map((it) => join(state, it)).join(' ')}
        true`)
    expect([...local.heard, ...tcp.heard]).toEqual([])
    expect(stdout).toBe('')
    const environ = await shell('cat /proc/[0-9]*/environ')
    expect([token, key].filter((it) => environ.stdout.includes(it))).toEqual([])
  })
})

it('48: the metrics of all projects are not for a key of some', async () => {
  const of = (projects: readonly string[] | null) => testHttp({ authenticate: async () => ({ ...OPERATOR, projects }) })
  expect((await of(null).ask('GET /metrics')).status).toBe(200)
  expect((await of(['/p']).ask('GET /metrics')).status).toBe(403)
})

describe('where a caller is and what its environment holds', () => {
  it('25: is not lent to another caller who knows the name of it', async () => {
    const { ask } = testHttp()
    const project = makeRepository(TOY_FILES)
    const put = await ask('PUT /caller', { cwd: project, env: { PATH: process.env['PATH'], MINE: 'x' } }, { via: 'socket' })
    const { id } = (await put.json()) as { id: string }
    const status = async (token: string, via: 'socket' | 'tcp') =>
      (await ask('GET /api/v1/runs', undefined, { token, via, headers: { 'reeve-caller': id } })).status
    expect(await status('own', 'socket')).toBe(200)
    expect([await status('own', 'tcp'), await status('admin', 'socket'), await status('admin', 'tcp')]).toEqual([409, 409, 409])
  })

  const KEYED = '[providers.mine]\nkind = "openai-compatible"\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\napi_key_env = "MINE_KEY"\n'

  async function daemonWith(env: Record<string, string>) {
    const project = makeRepository({ 'a.txt': 'a\n' })
    const made = testApp(project, env)
    const { home } = made
    writeFiles(join(home, 'reeve'), { 'config/config.toml': KEYED })
    const app = made.serve()
    const resident = await app.reside({ limits: queueLimits(settingsSchema.parse({})), env: {} })
    const plain = { PATH: process.env['PATH'], HOME: home, REEVE_HOME: join(home, 'reeve'), REEVE_SANDBOX__MINIMUM: 'guarded' }
    const terminal = (more: Record<string, string>) => app.as({ actor: localUser('ada'), cwd: project, env: { ...plain, ...more } })
    const task = { project, sentence: 'Do it', workflow: 'fine' }
    return { app, resident, terminal, task, program: app.as({ actor: OPERATOR, cwd: null, env: null }) }
  }

  it('25: is not what runs of another caller are worked on with, nor the other way round', async () => {
    const { app, resident, terminal, program, task } = await daemonWith({})
    const { runs } = await terminal({ MINE_KEY: 'of-one-terminal' }).call('runs.submit', task)
    const run = runs[0]?.id ?? ''
    const hindrance = async () => resident.hindrance(await (await app.store()).findRun(run))
    expect(await hindrance()).toBeNull()
    for (const other of [terminal({}), program])
      await expect(other.call('runs.submit', task)).rejects.toMatchObject({ code: 'provider_key_missing' })
    // Whoever only decides takes nothing away from it.
    await program.call('runs.reject', { run }).catch(() => undefined)
    expect(await hindrance()).toBeNull()
  })

  it('50: is redacted for all, also where the daemon itself has it not, and the run is shown all the same', async () => {
    const { terminal, program, task } = await daemonWith({})
    const secret = 'only-this-terminal-has-it'
    const sentence = `${secret} ${'x'.repeat(199 - secret.length - 6)} ${secret}`
    const mine = terminal({ MINE_KEY: 'of-one-terminal', DB_PASSWORD: secret })
    const { runs } = await mine.call('runs.submit', { ...task, sentence })
    const shown = await program.call('runs.get', { run: runs[0]?.id ?? '' })
    expect(JSON.stringify(shown)).not.toContain(secret)
    expect(shown.task).toMatchObject({ kind: 'feature', title: expect.stringContaining('[redacted]') })
  })

  it('25: is all that its runs have: keys of the daemon are no keys of a terminal', async () => {
    const { terminal, task } = await daemonWith({ MINE_KEY: 'of-the-daemon' })
    await expect(terminal({}).call('runs.submit', task)).rejects.toMatchObject({ code: 'provider_key_missing' })
  })
})
