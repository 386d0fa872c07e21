import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { delimiter, dirname, join } from 'node:path'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
// A start takes half a second; a machine under full load many times that.
const START_MS = 60_000

/** A real `reeve serve` as a process, with a data folder below `home`. */
export interface Server {
  child: ChildProcess
  url: string
  token: string
  /** What it said on standard error. */
  said(): string
  /** SIGTERM, and its end. Gives the exit code, or the signal. */
  stop(): Promise<number | string>
  /** SIGKILL, and its end. */
  kill(): Promise<void>
}

export interface ServerOptions {
  env?: Readonly<Record<string, string>>
  /** Arguments for Node, such as `--cpu-prof`. */
  node?: readonly string[]
}

/** Starts one and waits until it takes requests. The caller ends it. */
export async function startServer(home: string, options: ServerOptions = {}): Promise<Server> {
  mkdirSync(join(home, 'user'), { recursive: true })
  const child = spawn(process.execPath, [...(options.node ?? []), '--disable-warning=ExperimentalWarning', MAIN, 'serve'], {
    cwd: home,
    env: serverEnv(home, options.env),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', (it: Buffer) => (said = `${said}${it.toString()}`.slice(-20_000)))
  const ended = new Promise<number | string>((resolve) => child.once('close', (code, signal) => resolve(signal ?? code ?? -1)))
  const over = () => child.exitCode !== null || child.signalCode !== null

  const until = performance.now() + START_MS
  for (;;) {
    const place = readPlace(home)
    // The file of one that was killed is still there.
    if (place?.pid === child.pid && place !== null && (await isUp(place.url))) {
      const { url, token } = place
      return {
        child,
        url,
        token,
        said: () => said,
        async stop() {
          child.kill('SIGTERM')
          return ended
        },
        async kill() {
          child.kill('SIGKILL')
          await ended
        },
      }
    }
    if (over()) throw new Error(`The server ended (${await ended}) before it took requests:\n${said}`)
    if (performance.now() > until) {
      child.kill('SIGKILL')
      throw new Error(`The server takes no requests after ${START_MS / 1000} s:\n${said}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** The environment of processes that share the data folder. */
export function serverEnv(home: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
    HOME: join(home, 'user'),
    REEVE_HOME: join(home, 'reeve'),
    LANG: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    REEVE_SANDBOX__MINIMUM: 'guarded',
    REEVE_DAEMON__PORT: '0',
    ...more,
  }
}

/** Where the server of a data folder is, or was; null: none has begun. */
export function readPlace(home: string): { pid: number; url: string; token: string } | null {
  try {
    return JSON.parse(readFileSync(join(home, 'reeve/state/daemon.json'), 'utf8')) as { pid: number; url: string; token: string }
  } catch {
    return null
  }
}

async function isUp(url: string): Promise<boolean> {
  try {
    const answer = await fetch(new URL('/health', url))
    await answer.arrayBuffer()
    return answer.ok
  } catch {
    return false
  }
}

export interface Answer {
  status: number
  text: string
}

export interface Asking {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  body?: unknown
  headers?: Readonly<Record<string, string>>
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 })

/** One request. Rejects when no whole answer came. */
export function ask({ url, token }: Pick<Server, 'url' | 'token'>, path: string, asking: Asking = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const it = open({ url, token }, path, { ...asking, agent }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => (text += part))
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      answer.once('error', reject)
      answer.once('close', () => reject(new Error('The answer was cut.')))
    })
    it.once('error', reject)
  })
}

/** As `ask`, and the answer must be a good one. */
export async function askJson<T>(server: Pick<Server, 'url' | 'token'>, path: string, asking: Asking = {}): Promise<T> {
  const { status, text } = await ask(server, path, asking)
  if (status >= 300) throw new Error(`${asking.method ?? 'GET'} ${path} gave ${status}: ${text.slice(0, 500)}`)
  return JSON.parse(text) as T
}

function open(
  { url, token }: Pick<Server, 'url' | 'token'>,
  path: string,
  { method = 'GET', body, headers = {}, agent: kept }: Asking & { agent?: Agent },
  onAnswer: (answer: IncomingMessage) => void,
): ClientRequest {
  const said = body === undefined ? {} : { 'content-type': 'application/json' }
  const it = request(
    new URL(path, url),
    { method, headers: { authorization: `Bearer ${token}`, ...said, ...headers }, ...(kept ? { agent: kept } : { agent: false }) },
    onAnswer,
  )
  it.end(body === undefined ? undefined : JSON.stringify(body))
  return it
}

export interface Sent<E> {
  id: string
  event: E
}

/**
 * Reads server-sent events until the stream says that it has ended. Resolves with true at that end, with false where it was cut, also where
 * nobody was there. Aborting the signal cuts it.
 */
export function readEvents<E>(
  server: Pick<Server, 'url' | 'token'>,
  path: string,
  { after, signal, onEvent }: { after?: string | undefined; signal?: AbortSignal; onEvent: (it: Sent<E>) => void },
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'text/event-stream', ...(after === undefined ? {} : { 'last-event-id': after }) }
    const it = open(server, path, { headers }, (answer) => {
      let left = ''
      let ended = false
      if (answer.statusCode !== 200) answer.once('end', () => reject(new Error(`${path} gave ${answer.statusCode}: ${left}`)))
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => {
        left += part
        if (answer.statusCode !== 200) return
        const blocks = left.split('\n\n')
        left = blocks.pop() ?? ''
        for (const block of blocks) {
          const fields = fieldsOf(block)
          if (fields.get('event') === 'error') reject(new Error(`${path}: ${fields.get('data')}`))
          else if (fields.get('event') === 'end') ended = true
          else if (fields.has('data')) onEvent({ id: fields.get('id') ?? '', event: JSON.parse(fields.get('data') ?? '') as E })
        }
      })
      answer.once('close', () => resolve(ended))
      answer.once('error', () => resolve(ended))
    })
    it.once('error', () => resolve(false))
    signal?.addEventListener('abort', () => it.destroy(), { once: true })
  })
}

function fieldsOf(block: string): Map<string, string> {
  const lines = block.split('\n').filter((it) => !it.startsWith(':'))
  return new Map(lines.map((it) => [it.slice(0, it.indexOf(':')), it.slice(it.indexOf(':') + 2)]))
}

/** Megabytes that are resident, and open files, of a process. Linux only. */
export function weighProcess(pid: number): { rssMb: number; files: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return { rssMb: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024, files: readdirSync(`/proc/${pid}/fd`).length }
}
