import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../../core/clock.ts'
import { parseJson } from '../../core/json.ts'
import type { ProgramResult } from '../../process/port.ts'
import { runProgram } from '../../process/run-program.ts'
import { ProviderFailure } from '../guard.ts'
import { createMailbox, type Mailbox } from './mailbox.ts'
import { memoryWatch } from './memory-watch.ts'
import type { Answered, EngineAsk, FromEngine, ToEngine } from './protocol.ts'

export interface EngineOptions {
  /** Name of the provider, for what is said of it. */
  provider: string
  /** Address of the module node-llama-cpp. */
  engine: string
  file: string
  threads: number
  contextTokens: number
  memoryMb: number
  loadTimeoutMs: number
  clock: Clock
}

/** A model that is loaded, in a process of its own. It answers one call at a time. */
export interface Engine {
  readonly contextTokens: number
  /** False when its process has ended, by itself or not. */
  readonly running: boolean
  /** What it says to one call, the last is `done`, `too_long` or `error`. Throws a `ProviderFailure` when its process ends. */
  answer(ask: EngineAsk, signal: AbortSignal): AsyncGenerator<Answered>
  /** Ends the process and all it started. */
  close(): Promise<void>
}

// A line is one piece of text; prompts go the other way.
const LONGEST_LINE = 4 * 1024 * 1024
// Between two tokens; a large model on a slow machine takes seconds for one.
const STOP_MS = 10_000
const NO_LIMIT_MS = 2 ** 31 - 1

/** Starts the engine's process and loads the model. Throws a `ProviderFailure` when that does not come to an end in time and memory. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { provider, file, engine, threads, contextTokens, clock } = options
  const mail = createMailbox<FromEngine>()
  const stop = new AbortController()
  let send: (said: ToEngine) => void = () => undefined
  let running = true

  const talk = async ({ input, output }: { input: Writable; output: Readable }) => {
    send = (said) => void input.write(`${JSON.stringify(said)}\n`)
    send({ type: 'open', engine, file, threads, contextTokens })
    await deliver(output, mail)
  }
  const onEnd = (result: ProgramResult) => {
    running = false
    mail.fail(new ProviderFailure('crashed', deathSentence(result)))
  }
  const ended = runProgram({
    argv: [process.execPath, '--disable-warning=ExperimentalWarning', entryFile()],
    cwd: dirname(file),
    env: environment(),
    talk,
    timeoutMs: NO_LIMIT_MS,
    keepBytes: 65_536,
    floodBytes: Number.MAX_SAFE_INTEGER,
    signal: stop.signal,
    confinement: memoryWatch(options.memoryMb, `providers.${provider}.memory_mb`),
  }).then(onEnd)
  const close = async () => {
    stop.abort(new Error('closed'))
    await ended
  }

  const opened = await firstWord(mail, options.loadTimeoutMs, clock).catch(async (error: unknown) => {
    await close()
    throw error
  })
  if (opened.type !== 'ready') {
    await close()
    const problem = opened.type === 'failed' ? opened.problem : `it said "${opened.type}"`
    throw new ProviderFailure('config', `The model could not be loaded: ${problem}`, { final: true })
  }

  let calls = 0
  return {
    contextTokens: opened.contextTokens,
    get running() {
      return running
    },
    close,
    async *answer(ask, signal) {
      calls += 1
      const id = calls
      const onAbort = () => {
        send({ type: 'stop', id })
        // An engine that does not stop is no longer of use.
        void clock.sleep(STOP_MS, stop.signal).then(
          () => (over ? undefined : close()),
          () => undefined,
        )
      }
      let over = false
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        send({ type: 'generate', id, ask })
        for (;;) {
          const said = await mail.next()
          // What an earlier call still said after nobody listened any more.
          if (!('id' in said) || said.id !== id) continue
          over = said.type !== 'text'
          yield said
          if (over) return
        }
      } finally {
        signal.removeEventListener('abort', onAbort)
        if (!over) onAbort()
      }
    },
  }
}

async function firstWord(mail: Mailbox<FromEngine>, timeoutMs: number, clock: Clock): Promise<FromEngine> {
  const waiting = new AbortController()
  const late = clock.sleep(timeoutMs, waiting.signal).then(() => {
    const seconds = timeoutMs / 1000
    throw new ProviderFailure('timeout', `The model was still loading after ${seconds} s and was ended (load_timeout_seconds).`, {
      final: true,
    })
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([mail.next(), late])
  } finally {
    waiting.abort(new Error('loaded'))
  }
}

/** What the process says, line by line. What is no line of ours comes from libraries that print. */
async function deliver(output: Readable, mail: Mailbox<FromEngine>): Promise<void> {
  output.setEncoding('utf8')
  let rest = ''
  for await (const chunk of output as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = (lines.pop() ?? '').slice(0, LONGEST_LINE)
    for (const line of lines) {
      if (!line.startsWith('{"type":')) continue
      mail.put(parseJson(line, 'a line of the engine') as unknown as FromEngine)
    }
  }
}

/** Nothing of the user's environment but where libraries are: the engine needs no key, no proxy and no home. */
function environment(): Record<string, string> {
  const kept = ['PATH', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'TMPDIR', 'TZ'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(kept), LANG: 'C.UTF-8', NODE_LLAMA_CPP_SKIP_DOWNLOAD: 'true', NODE_LLAMA_CPP_GPU: 'false' }
}

function deathSentence({ problem, stderr, ended }: ProgramResult): string {
  if (ended === 'limit') return problem.replace(/^"[^"]*"/, 'The engine')
  const last = stderr.trim().split('\n').at(-1)?.trim().slice(0, 300) ?? ''
  return `The engine's process has ended: ${problem || 'it ended by itself.'}${last === '' ? '' : ` It said: ${last}`}`
}

/** Valid from the source and from the build. */
function entryFile(): string {
  const source = fileURLToPath(new URL('./engine-process.ts', import.meta.url))
  return existsSync(source) ? source : fileURLToPath(new URL('./engine-process.js', import.meta.url))
}
