import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import type { ProgramResult, ProgramSpec } from './port.ts'
import { nameOf } from './sentences.ts'
import type { Order } from './starter-process.ts'

/**
 * Starts programs from a small process of its own. Starting one copies the page tables of the process that does it: 5 ms with 50 MB of memory,
 * 60 ms with 370 MB, and nothing else happens in between. A run calls git seventy times.
 */
export interface Starter {
  run(spec: ProgramSpec): Promise<ProgramResult>
  /** Ends it, and what it has started. */
  close(): void
}

type Answer = { id: number; result: ProgramResult } | { id: number; problem: string }

// Valid from the source and from the build.
const PROCESS = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? 'starter-process.ts' : 'starter-process.js')

// `REEVE_PROC`: marks nest; `TMPDIR`: where Node keeps what it has compiled.
const KEPT = ['PATH', 'HOME', 'TMPDIR', 'REEVE_PROC']

export function createStarter(start: () => ChildProcess = startProcess): Starter {
  const waiting = new Map<number, (answer: Answer | null) => void>()
  let child: ChildProcess | null = null
  let last = 0

  function begin(): ChildProcess {
    const made = start()
    const gone = (): void => {
      if (child === made) child = null
      for (const tell of waiting.values()) tell(null)
    }
    made.on('message', (answer: Answer) => waiting.get(answer.id)?.(answer))
    made.once('exit', gone)
    // One that could not be started has no exit: the next program is given to another one.
    made.on('error', () => {
      if (made.pid === undefined) gone()
    })
    // It does not keep a process alive that has nothing else to do.
    made.unref()
    made.channel?.unref()
    return made
  }

  async function run({ signal, ...spec }: ProgramSpec): Promise<ProgramResult> {
    child ??= begin()
    const to = child
    const id = ++last
    const order = (it: Order): void => {
      if (to.connected) to.send(it, () => undefined)
    }
    const abort = (): void => order({ id, abort: true })
    const answer = await new Promise<Answer | null>((resolve) => {
      waiting.set(id, resolve)
      to.channel?.ref()
      order({ id, spec })
      if (signal?.aborted) abort()
      signal?.addEventListener('abort', abort, { once: true })
    })
    waiting.delete(id)
    if (waiting.size === 0) to.channel?.unref()
    signal?.removeEventListener('abort', abort)
    if (answer === null) return lost(spec)
    if ('problem' in answer) throw new ReeveError('invalid_input', { problem: answer.problem })
    return answer.result
  }

  return {
    run,
    close() {
      child?.disconnect()
    },
  }
}

function startProcess(): ChildProcess {
  return fork(PROCESS, [], {
    cwd: '/',
    // What it starts is given its whole environment: no key of ours needs to lie there.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => KEPT.includes(name))),
    execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  })
}

/** Nobody knows how far it came: as when somebody kills a program. */
function lost(spec: Pick<ProgramSpec, 'argv'>): ProgramResult {
  return {
    ended: 'signalled',
    exitCode: null,
    signal: 'SIGKILL',
    stdout: '',
    stderr: '',
    dropped: 0,
    durationMs: 0,
    problem: `${nameOf(spec)} was lost: the process that had started it was killed.`,
    breach: null,
    usage: null,
  }
}
