import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, vi } from 'vitest'
import { lastingFolder, temporaryFolder } from '../../../test/support/folder.ts'
import { testImage } from '../../../test/support/image.ts'
import { itNeeds } from '../../../test/support/needs.ts'
import { type Settings, settingsSchema } from '../../core/settings.ts'
import { thisProcess } from '../../process/alive.ts'
import type { ProgramSpec } from '../../process/port.ts'
import { runProgram } from '../../process/run-program.ts'
import type { Backend, BackendRequest } from '../backend.ts'
import { limitsFrom } from '../limits/limits.ts'
import { createRunLimits } from '../limits/run-limits.ts'
import { limitTools } from '../limits/words.ts'
import type { Decision } from '../network/decision.ts'
import type { Place } from '../port.ts'
import { probe } from '../probe/probe.ts'
import { createContainer } from './backend.ts'

const itHas = itNeeds('podman')
const shared = lastingFolder()
afterAll(shared.remove)

type SandboxInput = Partial<Settings['sandbox']>

function request(sandbox: SandboxInput = {}, folder = join(shared.folder, 's')): BackendRequest {
  const settings = settingsSchema.parse({ sandbox: { image: testImage(), ...sandbox } }).sandbox
  return {
    settings,
    folder,
    env: process.env,
    realHome: homedir(),
    limitsOf: (place) =>
      createRunLimits({
        limits: limitsFrom(settings.limits, 'run'),
        run: place.run,
        folders: [place.tree, place.home],
        cgroups: null,
        tools: limitTools(),
      }),
  }
}

async function container(sandbox: SandboxInput = {}): Promise<Backend> {
  const backend = await createContainer(request(sandbox))
  if ('unavailable' in backend) throw new Error(backend.unavailable)
  return backend
}

function newPlace(): Place {
  const folder = temporaryFolder()
  for (const it of ['tree', 'home', 'git']) mkdirSync(join(folder, it))
  return { tree: join(folder, 'tree'), home: join(folder, 'home'), run: 'r1' }
}

let first: Promise<Backend> | null = null
/** The one for all tests that set nothing. */
const usual = () => (first ??= container())

/** Runs a shell line in a container of its own. */
async function inside(line: string, more: Partial<ProgramSpec> & { place?: Place; by?: Backend } = {}) {
  const { place = newPlace(), by = await usual(), ...spec } = more
  return await runProgram({
    argv: ['/bin/sh', '-c', line],
    cwd: place.tree,
    env: by.env(place, { kind: 'run' }),
    timeoutMs: 30_000,
    confinement: by.confine(place, { kind: 'run' }),
    ...spec,
  })
}

/** Output of a program of this machine; what it leaves running stays. */
async function outside(...argv: [string, ...string[]]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: homedir() }
  return (await runProgram({ argv, cwd: '/', env, timeoutMs: 60_000, trusted: true })).stdout
}

async function containersOf(pid: number): Promise<string[]> {
  const names = await outside('podman', 'ps', '--all', '--format', '{{.Names}}')
  return names.split('\n').filter((it) => it.startsWith(`reeve-${pid}-`))
}

async function commandLines(): Promise<string[]> {
  return (await outside('ps', '-eo', 'args')).split('\n')
}

describe('a program in a container', () => {
  itHas('gets its input, its arguments and its environment as they are, and its exit code comes back', async () => {
    const place = newPlace()
    const by = await usual()
    const env = { ...by.env(place, { kind: 'run' }), ODD: 'it\'s\n"two" lines $HOME' }
    // ctrl-p ctrl-q would leave a container that is attached to a terminal.
    const result = await inside('cat; printf "|%s|%s" "$ODD" "$0"; exit 7', { place, by, env, input: 'in\u0010\u0011put' })
    expect(result).toMatchObject({ ended: 'exited', exitCode: 7, stderr: '', stdout: 'in\u0010\u0011put|it\'s\n"two" lines $HOME|/bin/sh' })
  })

  itHas('is one of the image, never a command of the shell that starts it', async () => {
    const result = await inside('', { argv: ['printf', String.raw`a\tb%s`, '!'] })
    expect(result.stdout).toBe('a\tb!')
    expect(await inside('', { argv: ['nosuchprogram'] })).toMatchObject({ ended: 'exited', exitCode: 127 })
  })

  itHas('sees its tree and its home at their paths, writes there as the user, and nowhere else', async () => {
    const place = newPlace()
    writeFileSync(join(place.tree, '..', 'secret'), 'x')
    const result = await inside('touch made "$HOME/made" && ls ..; touch /made; touch /etc/made; ls -a /home /root 2>&1', { place })
    expect(result.stdout).not.toContain('secret')
    expect(result.stdout).not.toContain('.bash')
    expect(result.stderr).toContain("cannot touch '/made': Read-only file system")
    expect(result.stderr).toContain("cannot touch '/etc/made': Read-only file system")
    expect(statSync(join(place.tree, 'made')).uid).toBe(process.getuid?.())
    expect(existsSync(join(place.home, 'made'))).toBe(true)
  })

  itHas('reads what may be read, and sees the git directory of the run instead of the one the tree names', async () => {
    const place = newPlace()
    const git = join(place.tree, '..', 'git')
    writeFileSync(join(place.tree, '.git'), 'gitdir: /the/users/own\n')
    writeFileSync(join(git, 'HEAD'), 'ref: x\n')
    const result = await inside(`cat .git; cat ${git}/HEAD; echo y > .git; rm .git; echo y > ${git}/HEAD`, { place: { ...place, git } })
    expect(result.stdout).toBe(`gitdir: ${git}\nref: x\n`)
    expect(readFileSync(join(place.tree, '.git'), 'utf8')).toBe('gitdir: /the/users/own\n')
    expect(readFileSync(join(git, 'HEAD'), 'utf8')).toBe('ref: x\n')
  })

  itHas('has no network but its own loopback, no capabilities and no way to more', async () => {
    const { stdout } = await inside(
      'cat /proc/net/dev; grep -E "CapEff|CapBnd|NoNewPrivs|Seccomp:" /proc/self/status || cat /proc/self/status',
    )
    expect(stdout.match(/^ *\w+:/gm)?.filter((it) => /lo:|eth|wl/.test(it))).toEqual([expect.stringContaining('lo:')])
    expect(stdout).toMatch(/CapEff:\s+0{16}\n/)
    expect(stdout).toMatch(/CapBnd:\s+0{16}\n/)
    expect(stdout).toMatch(/NoNewPrivs:\s+1\n/)
    expect(stdout).toMatch(/Seccomp:\s+2\n/)
  })

  itHas('makes no namespaces, and threads and processes as always', async () => {
    const { stdout, stderr } = await inside('unshare -Ur id; unshare -m id; unshare -n id; (id) | cat')
    expect(stdout.match(/uid=/g)).toHaveLength(1)
    expect(stderr.match(/Operation not permitted/g)).toHaveLength(3)
    const worker = "new (require('node:worker_threads').Worker)('console.log(1)', { eval: true })"
    expect(await inside('', { argv: [process.execPath, '-e', worker] })).toMatchObject({ stdout: '1\n', exitCode: 0 })
  })

  itHas('fills neither the memory nor the disk by what is private to it', async () => {
    const by = await container({ limits: { ...settingsSchema.parse({}).sandbox.limits, tmp_mb: 3, shared_memory_mb: 2 } })
    const line =
      'for it in /tmp /var/tmp /dev/shm /run /dev; do dd if=/dev/zero of=$it/x bs=1000000 count=90 2> /dev/null; ls -l $it/x; done'
    const { stdout, stderr } = await inside(line, { by })
    const sizes = Object.fromEntries([...stdout.matchAll(/ (\d+) \w+ +\d+ [\d:]+ (\S+)\/x/g)].map((it) => [it[2], Number(it[1])]))
    expect(sizes, stdout + stderr).toMatchObject({ '/tmp': 3 * 1024 * 1024, '/var/tmp': 3 * 1024 * 1024, '/dev/shm': 2 * 1024 * 1024 })
    expect(sizes['/run'] ?? 0).toBeLessThanOrEqual(16 * 1024 * 1024)
    expect(sizes['/dev'] ?? 0).toBeLessThanOrEqual(64 * 1024 * 1024)
  })

  itHas('is gone with all it started when it is stopped', async () => {
    const place = newPlace()
    const stop = new AbortController()
    const running = inside('trap "" TERM; (setsid sleep 3607 &); touch up; sleep 3607; sleep 3607', { place, signal: stop.signal })
    await vi.waitFor(() => expect(existsSync(join(place.tree, 'up'))).toBe(true), { timeout: 20_000 })
    stop.abort()
    expect(await running).toMatchObject({ ended: 'aborted' })
    expect(await containersOf(process.pid)).toEqual([])
    expect((await commandLines()).filter((it) => it === 'sleep 3607')).toEqual([])
  })

  itHas('leaves no process behind when it ends by itself', async () => {
    expect(await inside('(setsid sleep 3611 > /dev/null 2>&1 &); exit 3')).toMatchObject({ ended: 'exited', exitCode: 3 })
    expect((await commandLines()).filter((it) => it === 'sleep 3611')).toEqual([])
  })

  itHas('shows no value of its environment to other users of the machine, and no folder of it stays', async () => {
    const place = newPlace()
    const by = await usual()
    const env = { ...by.env(place, { kind: 'run' }), API_KEY: 'cafe-1234' }
    const running = inside('touch up; while [ ! -e seen ]; do sleep 0.05; done; printf %s "$API_KEY"', { place, by, env })
    await vi.waitFor(() => expect(existsSync(join(place.tree, 'up'))).toBe(true), { timeout: 20_000 })
    expect((await commandLines()).some((it) => it.includes('cafe-1234'))).toBe(false)
    writeFileSync(join(place.tree, 'seen'), '')
    expect((await running).stdout).toBe('cafe-1234')
    expect(readdirSync(join(shared.folder, 's', 'containers', String(process.pid)))).toEqual(['filter.json', 'process'])
  })

  itHas('that takes too much memory is stopped, and the limit is named', async () => {
    const by = await container({ limits: { ...settingsSchema.parse({}).sandbox.limits, memory_mb: 200 } })
    const hungry = 'const all = []; for (;;) all.push(Buffer.alloc(10_000_000, 1))'
    const result = await inside('', { by, argv: [process.execPath, '-e', hungry] })
    expect(result).toMatchObject({ ended: 'limit', breach: { limit: 'memory', allowed: 200, setting: 'sandbox.limits.memory_mb' } })
  })

  itHas('that writes without end is stopped at the limit of the settings', async () => {
    const by = await container({ limits: { ...settingsSchema.parse({}).sandbox.limits, output_mb: 1 } })
    const result = await inside('while :; do printf %01000d 0; done', { by })
    expect(result).toMatchObject({ ended: 'flooded', breach: { limit: 'output', allowed: 1, setting: 'sandbox.limits.output_mb' } })
  })

  itHas('says nothing of the program when the container itself could not be started', async () => {
    const place = newPlace()
    const missing = join(place.tree, 'not-there')
    const by = await usual()
    const result = await runProgram({
      argv: ['/bin/sh', '-c', 'exit 0'],
      cwd: place.tree,
      env: by.env(place, { kind: 'run' }),
      timeoutMs: 30_000,
      confinement: by.confine({ ...place, readable: [missing] }, { kind: 'run' }),
    })
    expect(result).toMatchObject({ ended: 'not_started', exitCode: null })
    expect(result.problem).toMatch(/was not started: podman did not start the container \(exit code 12[5-7]\)\./)
    expect(result.stderr).toContain('not-there')
  })
})

describe('a setup command in a container', () => {
  itHas('reaches the hosts it may reach by the proxy, and no others', async () => {
    const server = createServer((_, response) => response.end('packages')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const [place, by] = [newPlace(), await usual()]
    const get = (host: string) => `
      const it = await fetch('http://${host}:${port}/x').catch((error) => ({ status: String(error.cause), text: () => '' }))
      console.log(it.status, await it.text())`
    const decisions: Decision[] = []
    const profile = {
      kind: 'install',
      hosts: [{ host: '127.0.0.1', port, own: true }],
      decided: (it: Decision) => void decisions.push(it),
    } as const
    const env = by.env(place, profile)
    const run = (host: string) => {
      const confinement = by.confine(place, profile)
      return runProgram({
        argv: [process.execPath, '--input-type=module', '-e', get(host)],
        cwd: place.tree,
        env,
        timeoutMs: 30_000,
        confinement,
      })
    }
    expect((await run('127.0.0.1')).stdout).toBe('200 packages\n')
    expect((await run('other.test')).stdout).not.toContain('packages')
    expect(decisions.map((it) => `${it.target} ${it.reason}`)).toEqual([`127.0.0.1:${port} allowed`, `other.test:${port} not-allowed`])
    expect(readdirSync(join(shared.folder, 's')).filter((it) => it.startsWith('out-'))).toEqual([])
  })
})

describe('a container, attacked', () => {
  itHas('holds everything that the probe tries', async () => {
    const tried = await probe((await usual()).confine, { folder: temporaryFolder(), signal: new AbortController().signal })
    expect(tried.filter((it) => it.outcome !== 'held').map((it) => `${it.name}: ${it.reason}`)).toEqual([])
    expect(tried.length).toBeGreaterThan(8)
  })
})

describe('containers of a reeve that died', () => {
  itHas('end with it', async () => {
    const place = newPlace()
    const { settings } = request()
    const limits = limitsFrom(settings.limits, 'run')
    const up = join(place.tree, 'up')
    const program = `
      import { existsSync } from 'node:fs'
      import { createContainer } from ${JSON.stringify(new URL('backend.ts', import.meta.url).pathname)}
      import { runProgram } from ${JSON.stringify(new URL('../../process/run-program.ts', import.meta.url).pathname)}
      const { settings, folder, place, limits, up } = JSON.parse(process.argv[1])
      console.log(process.pid)
      setInterval(() => existsSync(up) && process.kill(process.pid, 'SIGKILL'), 20)
      const watch = () => ({ end: () => Promise.resolve({ usage: null, breach: null }) })
      const by = await createContainer({ settings, folder, env: process.env, realHome: '/', limitsOf: () => ({ limits, watch }) })
      const [env, confinement] = [by.env(place, { kind: 'run' }), by.confine(place, { kind: 'run' })]
      await runProgram({ argv: ['/bin/sh', '-c', 'touch up; sleep 3613'], cwd: place.tree, env, timeoutMs: 99000, confinement })`
    const told = JSON.stringify({ settings, place, folder: temporaryFolder(), limits, up })
    const pid = Number(await outside(process.execPath, '--input-type=module-typescript', '-e', program, told))
    expect(existsSync(up)).toBe(true)
    await vi.waitFor(async () => expect(await containersOf(pid)).toEqual([]), { timeout: 20_000, interval: 200 })
    expect((await commandLines()).filter((it) => it === 'sleep 3613')).toEqual([])
  })

  itHas('are removed by the next one, with what they were shown; those of a living one are not', async () => {
    const folder = temporaryFolder()
    const { pid, started } = await thisProcess()
    const start = (name: string, label: string) => {
      const held = ['--network=none', '--stop-signal=KILL', '--log-driver=none', '--ulimit=nofile=64:64', '--ulimit=nproc=64:64']
      const labels = [`--label=reeve.host=${hostname()}`, `--label=reeve.process=${label}`]
      return outside(
        'podman',
        '--log-level=error',
        'run',
        '--detach',
        '--rm',
        `--name=${name}`,
        ...held,
        ...labels,
        testImage(),
        'sleep',
        '63',
      )
    }
    const [dead, living] = [`reeve-${pid}-dead`, `reeve-${pid}-living`]
    // This process's number, but another start: a number that was given again.
    await start(dead, `${pid} 1`)
    await start(living, `${pid} ${started}`)
    mkdirSync(join(folder, 'containers', '1234567', 'reeve-x'), { recursive: true })
    writeFileSync(join(folder, 'containers', '1234567', 'process'), '1234567 1')
    try {
      expect(await containersOf(pid)).toEqual(expect.arrayContaining([dead, living]))
      await createContainer(request({}, folder))
      expect(await containersOf(pid)).toEqual([living])
      expect(readdirSync(join(folder, 'containers'))).toEqual([String(pid)])
    } finally {
      await outside('podman', 'rm', '--force', '--ignore', dead, living)
    }
  })
})

describe('a container that cannot be had', () => {
  itHas('is not downloaded: the command that does it is said', async () => {
    const backend = await createContainer(request({ image: 'registry.invalid/none:1' }))
    expect(backend).toEqual({
      unavailable: expect.stringContaining('podman has no image "registry.invalid/none:1".') as string,
      improve: { command: 'podman pull registry.invalid/none:1', gain: 'a container for the programs of runs (L3)' },
    })
  })

  itHas('without an image named says which setting names it', async () => {
    const backend = await createContainer({ ...request(), settings: settingsSchema.parse({}).sandbox })
    expect(backend).toMatchObject({
      unavailable: 'No container image is named: set image in [sandbox] to one with the toolchains of your projects.',
    })
  })
})
