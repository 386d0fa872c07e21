import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { problemOf } from '../../core/errors.ts'
import type { Grammar } from '../language-table.ts'
import type { SyntaxProblem } from './check.ts'
import type { Outline } from './outline.ts'
import type { ParseReply, ParseRequest } from './worker.ts'

/** Parses off the event loop. A file that takes too long or crashes the parser costs its own request, never the others. */
export interface ParserThread {
  /** Rejects with a sentence when the file could not be parsed. */
  outline(grammar: Grammar, text: string): Promise<Outline>
  check(grammar: Grammar, text: string): Promise<SyntaxProblem | null>
  close(): Promise<void>
}

type Want = ParseRequest['want']
type Answer = Extract<ParseReply, { type: Want }>

interface Waiting {
  request: ParseRequest
  resolve(answer: Answer): void
  reject(problem: Error): void
}

// A file of 1 MB parses in well under a second; what needs longer is pathological.
const PARSE_MS = 2000
// Reading and compiling 2 MB of wasm on a busy machine.
const LOAD_MS = 30_000

/**
 * One thread, started at the first request; it does not keep the process alive while nothing waits. `file` is another worker that speaks
 * the same messages.
 */
export function parserThread(limits: { parseMs?: number; loadMs?: number; file?: URL } = {}): ParserThread {
  const parseMs = limits.parseMs ?? PARSE_MS
  const loadMs = limits.loadMs ?? LOAD_MS
  const queue: Waiting[] = []
  let worker: Worker | undefined
  let current: Waiting | undefined
  let timer: NodeJS.Timeout | undefined
  let ids = 0

  function next(): void {
    if (current) return
    current = queue.shift()
    if (!current) {
      worker?.unref()
      return
    }
    worker ??= start()
    worker.ref()
    limit(loadMs, `the grammar was not loaded within ${loadMs / 1000} s`)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(current.request)
  }

  function start(): Worker {
    const made = new Worker(limits.file ?? workerFile(), {
      resourceLimits: { maxOldGenerationSizeMb: 512 },
      // Node's own parser, which the syntax check asks, announces itself. A report of a crash has the environment of each thread.
      execArgv: ['--disable-warning=ExperimentalWarning', '--report-exclude-env'],
    })
    made.on('message', (reply: ParseReply) => {
      if (reply.id !== current?.request.id) return
      if (reply.type === 'started') return limit(parseMs, `parsing took longer than ${parseMs / 1000} s`)
      // After a trap the memory of the parser is in doubt, so the thread goes too.
      if (reply.type === 'failed') return abandon(reply.problem)
      const done = finish()
      done?.resolve(reply)
      next()
    })
    made.on('error', (error) => made === worker && abandon(`the parser crashed: ${problemOf(error)}`))
    made.on('exit', () => made === worker && abandon('the parser thread ended'))
    return made
  }

  function limit(ms: number, problem: string): void {
    clearTimeout(timer)
    timer = setTimeout(() => abandon(problem), ms)
  }

  function finish(): Waiting | undefined {
    clearTimeout(timer)
    const done = current
    current = undefined
    return done
  }

  function abandon(problem: string): void {
    const gone = worker
    worker = undefined
    void gone?.terminate()
    finish()?.reject(new Error(problem))
    next()
  }

  function ask(want: Want, grammar: Grammar, text: string): Promise<Answer> {
    ids += 1
    const request: ParseRequest = { id: ids, want, grammar, text }
    return new Promise((resolve, reject) => {
      queue.push({ request, resolve, reject })
      next()
    })
  }

  return {
    async outline(grammar, text) {
      const answer = await ask('outline', grammar, text)
      if (answer.type !== 'outline') throw new Error('the parser answered another question')
      return answer.outline
    },
    async check(grammar, text) {
      const answer = await ask('check', grammar, text)
      if (answer.type !== 'check') throw new Error('the parser answered another question')
      return answer.found
    },
    async close() {
      const gone = worker
      worker = undefined
      finish()?.reject(new Error('the parser was closed'))
      for (const it of queue.splice(0)) it.reject(new Error('the parser was closed'))
      await gone?.terminate()
    },
  }
}

/** The worker beside this file: TypeScript in a checkout, JavaScript in the published package. */
function workerFile(): URL {
  const source = new URL('./worker.ts', import.meta.url)
  return existsSync(fileURLToPath(source)) ? source : new URL('./worker.js', import.meta.url)
}
