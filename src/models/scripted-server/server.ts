import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../core/clock.ts'
import { type Json, parseJson } from '../../core/json.ts'
import { anthropic } from './anthropic.ts'
import { chat } from './chat.ts'
import type { Asked, Reply, ServerDialect } from './dialect.ts'
import { createFaults, problemOf } from './faults.ts'
import { google } from './google.ts'
import { ollama, shownModel } from './ollama.ts'
import { cueFor, replyTo } from './play.ts'
import { responses } from './responses.ts'
import { type Behaviour, parseScript, readScript, type Scene, type Script, type ScriptStep } from './script.ts'

export interface ScriptedServerOptions {
  /** One of `file` (YAML), `scenes`, `steps`: see README.md. */
  file?: string
  scenes?: readonly Scene[]
  steps?: readonly ScriptStep[]
  behaviour?: Behaviour | readonly Behaviour[]
  /** The only key that is let in; absent: any, and none. */
  key?: string
  /** Ids of models that are listed. */
  models?: readonly string[]
  contextTokens?: number
  /** Where the programs work, absolute; absent: as they tell the model. */
  workdir?: string
  /** 0: any. */
  port?: number
}

/** One request that came in. Times are epoch ms. */
export interface LoggedRequest {
  /** From 1, of requests to a model; 0 of others. */
  number: number
  startedAt: number
  /** null: still at it. */
  endedAt: number | null
  method: string
  path: string
  dialect: ServerDialect['name'] | null
  key: string | null
  model: string
  stream: boolean
  /** A request for a title and the like: no tools, or none of our scenes. */
  side: boolean
  scene: number | null
  step: number | null
  tools: readonly string[]
  /** What was answered; null: no answer (yet). */
  status: number | null
  fault: string | null
}

export interface ScriptedServer {
  readonly port: number
  /** `http://127.0.0.1:<port>`: the base of all paths. */
  readonly url: string
  readonly log: readonly LoggedRequest[]
  close(): Promise<void>
}

const HOST = '127.0.0.1'
const MOST_BODY = 64 * 1024 * 1024
const CONTEXT_TOKENS = 200_000

const DIALECTS: readonly (readonly [RegExp, ServerDialect])[] = [
  [/\/messages$/, anthropic],
  [/\/responses$/, responses],
  [/\/chat\/completions$/, chat],
  [/\/models\/[^/]+:(?:streamGenerateContent|generateContent)$/, google],
  [/\/api\/chat$/, ollama],
]

/** Starts a server that plays a script to whoever asks, in the dialect they ask in. Loopback only. */
export async function startScriptedServer(options: ScriptedServerOptions): Promise<ScriptedServer> {
  const script = await scriptOf(options)
  const log: LoggedRequest[] = []
  const closing = new AbortController()
  const faults = createFaults(script.behaviour)
  const play = { options, script, log, faults, closing: closing.signal, count: 0 }
  const server = createServer((request, response) => {
    void serve(request, response, play).catch(() => response.destroy())
  })
  await listen(server, options.port ?? 0)
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://${HOST}:${port}`,
    log,
    async close() {
      closing.abort()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

async function scriptOf({ file, scenes, steps, behaviour = [] }: ScriptedServerOptions): Promise<Script> {
  const more = Array.isArray(behaviour) ? behaviour : [behaviour]
  if (file === undefined) return parseScript({ scenes: scenes ?? [], ...(steps ? { steps } : {}), behaviour: more }, 'the script')
  const read = await readScript(file)
  return { ...read, behaviour: [...more, ...read.behaviour] }
}

async function listen(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, HOST, resolve)
  await promise
}

interface Play {
  options: ScriptedServerOptions
  script: Script
  log: LoggedRequest[]
  faults: ReturnType<typeof createFaults>
  closing: AbortSignal
  count: number
}

async function serve(request: IncomingMessage, response: ServerResponse, play: Play): Promise<void> {
  const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://host')
  const key = keyOf(request, searchParams)
  const entry: LoggedRequest = {
    number: 0,
    startedAt: systemClock.now(),
    endedAt: null,
    method: request.method ?? '',
    path,
    dialect: null,
    key,
    model: '',
    stream: false,
    side: false,
    scene: null,
    step: null,
    tools: [],
    status: null,
    fault: null,
  }
  play.log.push(entry)
  response.on('close', () => (entry.endedAt = systemClock.now()))
  const dialect = request.method === 'POST' ? DIALECTS.find(([it]) => it.test(path))?.[1] : undefined
  const allowed = play.options.key === undefined || key === play.options.key
  if (!dialect) {
    const [status, body] = allowed ? other(path, play.options) : ([401, {}] as const)
    return send(response, entry, status, body)
  }

  entry.number = ++play.count
  entry.dialect = dialect.name
  if (!allowed) return send(response, entry, 401, dialect.error({ status: 401, kind: 'auth', message: 'Invalid API key.' }))
  const asked = dialect.read(parseJson(await bodyOf(request), 'the request'), path)
  const cue = cueFor(asked, play.script.scenes)
  Object.assign(entry, { model: asked.model, stream: asked.stream, side: cue.side, tools: asked.tools.map((it) => it.name) })
  if (!cue.side) Object.assign(entry, { scene: cue.scene, step: cue.step })
  const wrong = play.faults({ number: entry.number, text: textOf(asked) })
  entry.fault = wrong?.fault ?? null
  const reply = replyTo(asked, cue, play.script.scenes, play.options.workdir ?? null)
  await answer(response, { entry, dialect, asked, reply, wrong, closing: play.closing })
}

interface Answer {
  entry: LoggedRequest
  dialect: ServerDialect
  asked: Asked
  reply: Reply
  wrong: Behaviour | null
  closing: AbortSignal
}

async function answer(response: ServerResponse, { entry, dialect, asked, reply, wrong, closing }: Answer): Promise<void> {
  if (wrong?.delay_ms) await sleep(wrong.delay_ms, undefined, { signal: closing })
  const fault = wrong?.fault
  const problem = wrong ? problemOf(wrong, dialect.name) : null
  if (problem) {
    if (problem.retryAfter !== null) response.setHeader('retry-after', String(problem.retryAfter))
    return send(response, entry, problem.status, dialect.error(problem))
  }
  // Says nothing until one of the two goes away.
  if (fault === 'stall') return
  if (fault === 'reset') return void response.socket?.resetAndDestroy()
  const given = fault === 'refusal' ? { ...reply, text: wrong?.message ?? 'I cannot help with that.', calls: [], refused: true } : reply
  if (fault === 'malformed')
    return sendText(response, entry, asked.stream ? dialect.streamType : 'application/json', '<html>{"broken": \u0000\n\n')
  if (!asked.stream) return send(response, entry, 200, dialect.whole(given))

  entry.status = 200
  response.writeHead(200, { 'content-type': dialect.streamType, 'cache-control': 'no-cache' })
  const pieces = dialect.stream(given)
  if (fault !== 'cut' && fault !== 'stall_in_stream') return void response.end(pieces.join(''))
  // The last two say that it was all.
  response.write(pieces.slice(0, Math.max(1, pieces.length - 2)).join(''))
  if (fault === 'cut') setImmediate(() => response.destroy())
}

function send(response: ServerResponse, entry: LoggedRequest, status: number, body: Json): void {
  entry.status = status
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function sendText(response: ServerResponse, entry: LoggedRequest, type: string, text: string): void {
  entry.status = 200
  response.writeHead(200, { 'content-type': type }).end(text)
}

/** Everything that asks no model. */
function other(path: string, { models = ['scripted'], contextTokens = CONTEXT_TOKENS }: ScriptedServerOptions): readonly [number, Json] {
  if (path.endsWith('/v1beta/models'))
    return [200, { models: models.map((it) => ({ name: `models/${it}`, inputTokenLimit: contextTokens })) }]
  if (path.endsWith('/models')) return [200, { object: 'list', data: models.map((id) => ({ id, object: 'model' })) }]
  if (path.endsWith('/api/version')) return [200, { version: '0.12.0' }]
  if (path.endsWith('/api/ps')) return [200, { models: models.map((it) => ({ name: it, model: it, context_length: contextTokens })) }]
  if (path.endsWith('/api/tags')) return [200, { models: models.map((it) => ({ name: it, model: it })) }]
  if (path.endsWith('/api/show')) return [200, shownModel(contextTokens)]
  return [404, {}]
}

function keyOf({ headers }: IncomingMessage, search: URLSearchParams): string | null {
  const named = headers['x-api-key'] ?? headers['x-goog-api-key'] ?? search.get('key')
  if (typeof named === 'string') return named
  return /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? null
}

function textOf({ parts }: Asked): string {
  return parts.map((it) => (it.kind === 'result' ? '' : it.text)).join('\n')
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > MOST_BODY) throw new Error('The request is too big.')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
