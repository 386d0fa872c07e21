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

/**
 * Starts the engine's process and loads the model. Throws a `ProviderFailure` when that does not come to an end in time and memory, or the signal
 * aborts.
 */
export async function startEngine(options: EngineOptions, signal?: AbortSignal): Promise<Engine> {
  const { provider, file, engine, threads, contextTokens, clock } = options
  const opening = createMailbox<FromEngine>()
  const calls = createCalls()
  const stop = new AbortController()
  let send: (said: ToEngine) => void = () => undefined
  let running = true

  const talk = async ({ input, output }: { input: Writable; output: Readable }) => {
    send = (said) => void input.write(`${JSON.stringify(said)}\n`)
    send({ type: 'open', engine, file, threads, contextTokens })
    await eachSaid(output, (said) => ('id' in said ? calls.hear(said) : opening.put(said)))
  }
  const onEnd = (result: ProgramResult) => {
    running = false
    const death = new ProviderFailure('crashed', deathSentence(result))
    opening.fail(death)
    calls.fail(death)
  }
  const ended = runProgram({
    argv: [process.execPath, '--disable-warning=ExperimentalWarning', entryFile()],
    cwd: dirname(file),
    env: environment(),
    talk,
    timeoutMs: NO_LIMIT_MS,
    keepBytes: 65_536,
    floodBytes: Number.MAX_SAFE_INTEGER,
    signal: signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]),
    confinement: memoryWatch(options.memoryMb, `providers.${provider}.memory_mb`),
  }).then(onEnd)
  const close = async () => {
    stop.abort(new Error('closed'))
    await ended
  }

  const opened = await firstWord(opening, options.loadTimeoutMs, clock).catch(async (error: unknown) => {
    await close()
    throw error
  })
  if (opened.type !== 'ready') {
    await close()
    const problem = opened.type === 'failed' ? opened.problem : `it said "${opened.type}"`
    throw new ProviderFailure('config', `The model could not be loaded: ${problem}`, { final: true })
  }
  return {
    contextTokens: opened.contextTokens,
    get running() {
      return running
    },
    close,
    async *answer(ask, signal) {
      const call = calls.begin()
      const { id, over } = call
      const end = () => {
        send({ type: 'stop', id })
        // An engine that does not stop is no longer of use.
        clock.sleep(STOP_MS, AbortSignal.any([over, stop.signal])).then(close, () => undefined)
      }
      signal.addEventListener('abort', end, { once: true })
      try {
        send({ type: 'generate', id, ask })
        for (;;) {
          const said = await call.next()
          yield said
          if (said.type !== 'text') return
        }
      } finally {
        signal.removeEventListener('abort', end)
        // Whoever listened has left in the middle.
        if (!over.aborted && !signal.aborted) end()
      }
    },
  }
}

interface Calls {
  /** `over` aborts when the engine has said its last word to the call. */
  begin(): { id: number; next(): Promise<Answered>; over: AbortSignal }
  hear(said: Answered): void
  fail(death: Error): void
}

/** What is said to which call. */
function createCalls(): Calls {
  const open = new Map<number, { mail: Mailbox<Answered>; over: AbortController }>()
  let last = 0
  let dead: Error | null = null
  return {
    begin() {
      last += 1
      const call = { mail: createMailbox<Answered>(), over: new AbortController() }
      if (dead === null) open.set(last, call)
      else call.mail.fail(dead)
      return { id: last, next: () => call.mail.next(), over: call.over.signal }
    },
    hear(said) {
      const call = open.get(said.id)
      call?.mail.put(said)
      if (said.type === 'text') return
      open.delete(said.id)
      call?.over.abort(new Error('over'))
    },
    fail(death) {
      dead = death
      for (const { mail, over } of open.values()) {
        over.abort(death)
        mail.fail(death)
      }
      open.clear()
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
async function eachSaid(output: Readable, hear: (said: FromEngine) => void): Promise<void> {
  output.setEncoding('utf8')
  let rest = ''
  for await (const chunk of output as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = (lines.pop() ?? '').slice(0, LONGEST_LINE)
    for (const line of lines) if (line.startsWith('{"type":')) hear(parseJson(line, 'a line of the engine') as unknown as FromEngine)
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
