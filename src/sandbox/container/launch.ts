import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { problemOf, ReeveError } from '../../core/errors.ts'
import type { Breach, Launch } from '../../process/port.ts'
import type { RunLimits, Watch } from '../limits/port.ts'
import { type ContainerView, containerArguments, type Mount } from './arguments.ts'
import { callEngine, type Engine, saidBy } from './engine.ts'

/** Where reeve's own files are inside: `env`, `hosts`, `state`, and what a door needs. */
export const INSIDE = '/run/reeve'

export interface Contained {
  engine: Engine
  view: Omit<ContainerView, 'name' | 'mounts'>
  mounts: readonly Mount[]
  /** Reeve's own folder for this process; every launch has one in it. */
  folder: string
  limits: RunLimits
  env: Readonly<Record<string, string>>
  argv: readonly [string, ...string[]]
}

/**
 * First process of a container. It tells by a file that the container stands, runs the program as its child, so that what the program leaves
 * behind has somebody to reap it, and tells when the kernel ended something for its memory. `exec`: never a command of the shell itself.
 */
const FIRST = `shift
. ${INSIDE}/env
printf s > ${INSIDE}/state
(exec "$@")
code=$?
for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
  if [ "$code" != 0 ] && [ -r "$file" ]; then
    while read -r key value; do
      if [ "$key" = oom_kill ] && [ "$value" != 0 ]; then printf o >> ${INSIDE}/state; fi
    done < "$file"
  fi
done
exit "$code"`

/**
 * Around the engine's program, on the host: a container goes on when the program that started it dies. Descriptor 3 is held open by reeve; when
 * reeve is gone it ends, and the container is removed. The second time is for one that was still being made. `$3`: file for the exit code.
 */
const GUARD = `engine=$1 name=$2 file=$3
shift 3
exec 4<&0
"$@" <&4 3<&- &
client=$!
exec 4<&-
{ read -r _ <&3; kill -9 $$ $client; "$engine" rm -f "$name"; sleep 2; "$engine" rm -f "$name"; } < /dev/null > /dev/null 2>&1 &
guard=$!
exec 3<&-
wait $client
code=$?
kill $guard
printf %s "$code" > "$file"
exit "$code"`

const LOOK_MS = 25
// Engines that are busy with others take a while; a container that cannot be removed within it must not go unnoticed.
const REMOVE_MS = 60_000

/** Starts a program in a container of its own, which is gone when `end` returns. Throws `sandbox_failed` when its files cannot be made. */
export async function launchContained({ engine, view, mounts, folder, limits, env, argv }: Contained): Promise<Launch> {
  const name = `reeve-${process.pid}-${randomBytes(9).toString('hex')}`
  const own = await makeFolder(join(folder, name), env)
  const words = containerArguments(engine, { ...view, name, mounts: [...ownMounts(own.path), ...mounts] })
  const client = [engine.path, ...words, '-c', FIRST, 'reeve', name, ...argv]

  const over = new AbortController()
  let tried = false
  let watched: Promise<Watch | null> = Promise.resolve(null)
  const watchFrom = async (broken: (breach: Breach) => void): Promise<Watch | null> => {
    while (!over.signal.aborted && !(await own.begun())) await delay(LOOK_MS)
    const pid = over.signal.aborted ? null : await firstProcess(engine, name)
    return pid === null || over.signal.aborted ? null : limits.watch({ kind: 'namespace', pid }, broken)
  }
  return {
    argv: ['/bin/sh', '-c', GUARD, 'reeve', engine.path, name, join(own.path, 'code'), ...client],
    cwd: view.cwd,
    env: engine.env,
    descriptors: ['pipe'],
    // Nothing of the program is below the process that is started here; the container is removed by its name.
    diesWhole: true,
    started(process, broken) {
      tried = true
      process.stdio[3]?.on('error', () => {})
      watched = watchFrom(broken).catch(() => null)
    },
    async end() {
      over.abort()
      const code = await own.code()
      const stuck = tried && !endedByItself(code) ? await remove(engine, name) : null
      const [stands, state] = [await own.begun(), await own.state()]
      const seen = await (await watched)?.end({ code, signal: null })
      await rm(own.path, { recursive: true, force: true })
      const breach = seen?.breach ?? (engine.limits.memory && state.includes('o') ? outOfMemory(limits) : null)
      const failure = stuck ?? (stands ? null : `${engine.kind} did not start the container${code === null ? '' : ` (exit code ${code})`}.`)
      return { usage: seen?.usage ?? null, breach, failure }
    },
  }
}

interface OwnFolder {
  path: string
  /** Has the container's first process said that it stands? */
  begun(): Promise<boolean>
  /** What it has said. */
  state(): Promise<string>
  /** How the engine's program ended; null: it was killed. */
  code(): Promise<number | null>
}

/** Everything reeve shows of its own, in a folder nobody else can read. */
async function makeFolder(path: string, env: Readonly<Record<string, string>>): Promise<OwnFolder> {
  const state = join(path, 'state')
  const touched = async () => (await stat(state, { bigint: true })).ctimeNs
  try {
    const text = envText(env)
    await mkdir(path, { recursive: true, mode: 0o700 })
    await Promise.all([
      writeFile(join(path, 'env'), text, { mode: 0o600 }),
      writeFile(join(path, 'hosts'), '127.0.0.1 localhost reeve\n::1 localhost\n', { mode: 0o644 }),
      writeFile(state, '', { mode: 0o600 }),
    ])
    const made = await touched()
    return {
      path,
      // Inside, the mounted file cannot be removed nor its time of change be set: that it was written to stays visible.
      begun: async () => (await touched().catch(() => made)) !== made,
      state: () => readFile(state, 'latin1').catch(() => ''),
      code: async () => {
        const told = await readFile(join(path, 'code'), 'latin1').catch(() => '')
        return told === '' ? null : Number(told)
      },
    }
  } catch (error) {
    throw error instanceof ReeveError ? error : new ReeveError('sandbox_failed', { problem: problemOf(error) }, { cause: error })
  }
}

function ownMounts(own: string): Mount[] {
  return [
    { from: join(own, 'env'), at: `${INSIDE}/env`, written: false },
    { from: join(own, 'state'), at: `${INSIDE}/state`, written: true },
    { from: join(own, 'hosts'), at: '/etc/hosts', written: false },
  ]
}

/** The environment for a shell to read: engines read files of their own kinds, each its own way, and show arguments to everybody. */
export function envText(env: Readonly<Record<string, string>>): string {
  const lines = Object.entries(env).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || value.includes('\0')) {
      throw new ReeveError('sandbox_failed', { problem: `a container cannot be given the variable ${JSON.stringify(name)}.` })
    }
    return `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`
  })
  return lines.join('')
}

/** Then the engine has removed it, as it was told to. From 125 on it may be the engine that failed. */
function endedByItself(code: number | null): boolean {
  return code !== null && code < 125
}

async function remove(engine: Engine, name: string): Promise<string | null> {
  const result = await callEngine(engine, ['rm', '--force', '--volumes', name], REMOVE_MS)
  const isGone = result.exitCode === 0 || /no such container|no container with/i.test(result.stderr)
  return isGone ? null : `its container "${name}" could not be removed: ${saidBy(result)}`
}

/** Number on this machine of a container's first process; null when it runs elsewhere, as behind a virtual machine, or is gone. */
async function firstProcess(engine: Engine, name: string): Promise<number | null> {
  const { stdout } = await callEngine(engine, ['inspect', '--format', '{{.State.Pid}}', name])
  const pid = Number(stdout.trim())
  if (!Number.isInteger(pid) || pid <= 1) return null
  const words = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
  return words.split('\0').includes(name) ? pid : null
}

/** The kernel's word for it; how much it was at most nobody has seen. */
function outOfMemory({ limits }: RunLimits): Breach {
  const allowed = Math.round(limits.memoryBytes / 1024 / 1024)
  return { limit: 'memory', allowed, peak: allowed, unit: 'MB', setting: 'sandbox.limits.memory_mb' }
}
