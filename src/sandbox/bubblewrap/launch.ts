import { open, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { problemOf, ReeveError } from '../../core/errors.ts'
import type { Breach, Launch, ResourceUsage, StartedProgram } from '../../process/port.ts'
import { breachSentence } from '../../process/sentences.ts'
import { heard } from '../heard.ts'
import type { RunLimits, Watch } from '../limits/port.ts'
import { bwrapArguments, type View } from './profile.ts'

export interface Sandboxed {
  bwrap: string
  /** File with the system call filter. */
  filter: string
  view: View
  limits: RunLimits
  env: Readonly<Record<string, string>>
  argv: readonly [string, ...string[]]
}

/**
 * Tells by its descriptor that the sandbox stands, goes to the program's folder and becomes the program. What fails before that is the sandbox's
 * failure, not the program's; a folder that programs have closed is theirs.
 */
const BEGIN = 'printf . >&5; exec 5>&-; cd -- "$1" || exit 126; shift; exec "$@"'
// A namespace is gone within milliseconds of its first process; longer only where the kernel has very much to take down.
const GONE_MS = 5000

/** Starts a program in a sandbox of its own. Throws `sandbox_failed` when its filter cannot be read. */
export async function launchSandboxed({ bwrap, filter, view, limits, env, argv }: Sandboxed): Promise<Launch> {
  const seccomp = await open(filter, 'r').catch((error: unknown) => {
    throw new ReeveError('sandbox_failed', { problem: problemOf(error) })
  })
  const inner = [...limits.inner({ namespace: true }), '/bin/sh', '-c', BEGIN, 'reeve', view.cwd, ...argv]
  const { free, set } = heldBack(env)
  const outer = await limits.outer().catch(async (error: unknown) => {
    await seccomp.close()
    throw error
  })
  const [program = bwrap, ...rest] = [...outer, bwrap, ...bwrapArguments({ ...view, cwd: '/' }), ...set, '--', ...inner]
  let begun = false
  let first: number | null = null
  let watch: Watch | null = null
  let process: StartedProgram | undefined
  return {
    argv: [program, ...rest],
    cwd: '/',
    env: free,
    descriptors: ['pipe', seccomp.fd, 'pipe'],
    diesWhole: true,
    started(child, broken) {
      process = child
      void seccomp.close()
      onData(child, 5, () => {
        begun = true
      })
      let info = ''
      onData(child, 3, (text) => {
        info += text
        const found = /"child-pid":\s*(\d+)/.exec(info)?.[1]
        if (found === undefined || first !== null) return
        first = Number(found)
        watch = limits.watch({ kind: 'namespace', pid: first }, broken)
      })
    },
    async end() {
      await seccomp.close()
      if (process !== undefined && (!begun || first === null)) await heard(process, [3, 5])
      if (first !== null) await isGone(first)
      const { usage, breach } = (await watch?.end(process && { code: process.exitCode, signal: process.signalCode })) ?? {
        usage: NOTHING,
        breach: null,
      }
      return { usage, breach, failure: begun ? null : whyNot(breach) }
    },
  }
}

// What the loader and the C library of bwrap itself, and of what puts it into its group, would act on: libraries and files named there are loaded.
const OF_THE_LOADER = /^(?:LD_|GLIBC_|GCONV_PATH$|LOCPATH$|NLSPATH$|MALLOC_|BASH_|ENV$|SHELLOPTS$|PS4$)/

/**
 * A script of a project may set such variables (`LD_PRELOAD=./x.so npm test`): they are set within the sandbox only. No secrets: the words
 * are there for all users of the machine to see.
 */
function heldBack(env: Readonly<Record<string, string>>): { free: Record<string, string>; set: string[] } {
  const all = Object.entries(env)
  return {
    free: Object.fromEntries(all.filter(([name]) => !OF_THE_LOADER.test(name))),
    set: all.flatMap(([name, value]) => (OF_THE_LOADER.test(name) ? ['--setenv', name, value] : [])),
  }
}

/** What an earlier program of the run has broken ends the next one before it begins. */
function whyNot(breach: Breach | null): string {
  return breach === null ? 'the sandbox did not come up' : breachSentence('the sandbox', breach).replace(/\.$/, '')
}

const NOTHING: ResourceUsage = { memoryBytes: 0, processes: 0, cpuSeconds: 0 }

function onData(child: StartedProgram, fd: number, act: (text: string) => void): void {
  const stream = child.stdio[fd]
  stream?.on('data', (chunk: Buffer) => act(chunk.toString('latin1')))
  stream?.on('error', () => {}) // the other end is gone: then there is nothing more to read
}

/** Waits until the first process of a namespace is gone, and with it all others. One that nobody has reaped yet is gone too. */
async function isGone(pid: number): Promise<void> {
  const deadline = Date.now() + GONE_MS
  for (;;) {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
    const state = stat.slice(stat.lastIndexOf(')') + 2)[0]
    if (stat === '' || state === 'Z' || state === 'X' || Date.now() > deadline) return
    await delay(2)
  }
}
