import { randomUUID } from 'node:crypto'
import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import type { ErrorCode, ErrorDetails } from '../core/errors.ts'
import { ERRORS, nearest, problemOf, ReeveError } from '../core/errors.ts'
import type { OperationName, StreamName, Transport } from './client.ts'
import { readEvents, type ServerEvent } from './events.ts'
import { ROUTES, type Route } from './routes.ts'

/** Where a daemon is reached, and what opens it. */
export interface Remote {
  at: { socket: string } | { url: string }
  token: string
}

export interface RemoteOptions {
  /** Asked for the first call and again where the daemon is not reached any more; `failed` is why. */
  find: (failed: Error | null) => Promise<Remote>
  /** Where this process is and its environment, which the daemon then uses for its calls; only over the socket. */
  place?: { cwd: string; env: Readonly<Record<string, string | undefined>> }
}

/** How often a stream that was cut is opened again without an event in between, and how long it waits before. */
const CUTS = [50, 200, 1000, 2000, 5000] as const

/** The operations of a daemon, over its socket or over TCP. Loads nothing heavy: commands stand on it. */
export function remoteTransport(options: RemoteOptions): Transport {
  const line = createLine(options)
  return {
    async invoke(name, input, signal) {
      const route = routeOf(name)
      // A daemon that dies in the middle makes no second run of a request that it gets again.
      const keyed = name === 'runs.submit' ? { key: randomUUID(), ...(input as object) } : input
      const again = name === 'runs.submit' || route.method === 'GET'
      try {
        return await line.json(requestFor(route, keyed), signal, again)
      } catch (error) {
        throw signal.aborted ? error : broken(error)
      }
    },
    open: (name, input, signal) => resumed(line, name, input, signal),
    close: async () => line.close(),
  }
}

/** Programs in JavaScript may name what is not there. */
function routeOf(name: OperationName | StreamName): Route {
  const route: Route | undefined = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined
  if (route !== undefined) return route
  const near = nearest(name, Object.keys(ROUTES))
  throw new ReeveError('invalid_input', {
    problem: `there is no operation "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`,
  })
}

interface Wanted {
  method: string
  path: string
  body: string | null
  headers: Record<string, string>
}

/** The request for an operation: fields of the path, then the query or the body. */
export function requestFor(route: Route, input: unknown): Wanted {
  const rest = new Map(Object.entries((input ?? {}) as Record<string, unknown>).filter(([, value]) => value !== undefined))
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, field: string) => {
    const value = rest.get(field)
    rest.delete(field)
    if (value === undefined || value === '') throw new ReeveError('invalid_input', { problem: `${field}: is missing` })
    return encodeURIComponent(queryText(value))
  })
  if (route.fields === 'body') {
    return { method: route.method, path, body: JSON.stringify(Object.fromEntries(rest)), headers: { 'content-type': 'application/json' } }
  }
  const query = [...rest].flatMap(([field, value]) =>
    (Array.isArray(value) ? value : [value]).map((it): [string, string] => [field, queryText(it)]),
  )
  const search = new URLSearchParams(query).toString()
  return { method: route.method, path: search === '' ? path : `${path}?${search}`, body: null, headers: {} }
}

function queryText(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

interface Line {
  /** `again`: may be sent a second time, even where the first may have been heard. */
  json(wanted: Wanted, signal: AbortSignal, again: boolean): Promise<unknown>
  send(wanted: Wanted, signal: AbortSignal): Promise<IncomingMessage>
  /** The daemon was not reached: the next request asks for its place again. */
  lose(error: Error): void
  close(): void
}

function createLine({ find, place }: RemoteOptions): Line {
  const agent = new Agent({ keepAlive: true })
  let remote: Promise<Remote> | null = null
  let caller: Promise<string> | null = null
  let failed: Error | null = null

  function lose(error: Error): void {
    remote = null
    caller = null
    failed = error
  }

  async function send(wanted: Wanted, signal: AbortSignal, again = true): Promise<IncomingMessage> {
    remote ??= find(failed)
    const to = await remote.catch((error: unknown) => {
      remote = null
      throw error
    })
    try {
      const headers = { ...wanted.headers, ...(await callerHeader(to)) }
      const answer = await sendTo(to, agent, { ...wanted, headers }, signal)
      if ((answer.statusCode ?? 500) < 400) return answer
      throw await errorOf(answer)
    } catch (error) {
      if (!again || signal.aborted || !(error instanceof Error)) throw error
      // It has been started again since: it knows nobody. Or it is gone, and nothing of this request has reached it.
      if (error instanceof ReeveError && error.code === 'caller_unknown') caller = null
      else if (isUnreached(error)) lose(error)
      else throw error
      return send(wanted, signal, false)
    }
  }

  async function callerHeader(to: Remote): Promise<Record<string, string>> {
    if (place === undefined || !('socket' in to.at)) return {}
    caller ??= sayPlace(to, agent, place)
    const id = await caller.catch((error: unknown) => {
      caller = null
      throw error
    })
    return { 'reeve-caller': id }
  }

  return {
    send,
    lose,
    async json(wanted, signal, again) {
      const once = async (): Promise<unknown> => JSON.parse(await textOf(await send(wanted, signal)))
      try {
        return await once()
      } catch (error) {
        if (!again || signal.aborted || error instanceof ReeveError || !isBroken(error)) throw error
        lose(error as Error)
        return once()
      }
    },
    close: () => agent.destroy(),
  }
}

async function sayPlace(to: Remote, agent: Agent, { cwd, env }: NonNullable<RemoteOptions['place']>): Promise<string> {
  const body = JSON.stringify({ cwd, env })
  const wanted = { method: 'PUT', path: '/caller', body, headers: { 'content-type': 'application/json' } }
  const answer = await sendTo(to, agent, wanted, new AbortController().signal)
  if (answer.statusCode !== 200) throw await errorOf(answer)
  return (JSON.parse(await textOf(answer)) as { id: string }).id
}

/** Nothing listens there, or it hung up before it said a word. */
function isUnreached(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNREFUSED' || code === 'ENOENT'
}

/** The connection ended in the middle. */
function isBroken(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function sendTo(
  { at, token }: Remote,
  agent: Agent,
  { method, path, body, headers }: Wanted,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const url = 'url' in at ? new URL(at.url) : null
  const secure = url?.protocol === 'https:'
  const options: RequestOptions = {
    ...(url === null
      ? { socketPath: (at as { socket: string }).socket, host: 'localhost' }
      : { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port }),
    ...(secure ? {} : { agent }),
    method,
    path,
    signal,
    headers: {
      ...headers,
      authorization: `Bearer ${token}`,
      ...(body === null ? {} : { 'content-length': Buffer.byteLength(body) }),
    },
  }
  return new Promise((resolve, reject) => {
    // Commands of this machine never need the other one, and loading it takes them longer than all they ask.
    const asked = (secure ? process.getBuiltinModule('node:https').request : request)(options, resolve)
    asked.on('error', reject)
    asked.end(body ?? undefined)
  })
}

async function textOf(answer: IncomingMessage): Promise<string> {
  answer.setEncoding('utf8')
  let text = ''
  for await (const chunk of answer) text += chunk as string
  return text
}

/** The daemon's error as the same error here. */
async function errorOf(answer: IncomingMessage): Promise<ReeveError> {
  const text = await textOf(answer)
  try {
    return errorFrom(JSON.parse(text))
  } catch {
    return new ReeveError('internal', { problem: `the daemon answered ${answer.statusCode}: ${text.slice(0, 200)}` })
  }
}

export function errorFrom(problem: { code?: unknown; detail?: unknown; details?: unknown }): ReeveError {
  const { code, detail, details } = problem
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code))
    return new ReeveError('internal', { problem: typeof detail === 'string' ? detail : 'it says nothing' })
  return new ReeveError(code as ErrorCode, (details ?? {}) as ErrorDetails)
}

/** The events of a stream; one that was cut is opened again behind the last event that came. */
async function* resumed(line: Line, name: StreamName, input: unknown, signal: AbortSignal): AsyncGenerator {
  const route = routeOf(name)
  let from = { input, id: null as string | null }
  for (let cuts = 0; ; ) {
    try {
      const wanted = requestFor(route, from.input)
      const headers = { ...wanted.headers, accept: 'text/event-stream', ...(from.id === null ? {} : { 'last-event-id': from.id }) }
      const answer = await line.send({ ...wanted, headers }, signal)
      for await (const event of readEvents(answer)) {
        if (event.type === 'end') return
        if (event.type === 'error') throw errorFrom(JSON.parse(event.data))
        cuts = 0
        const value: unknown = JSON.parse(event.data)
        from = behind(route, from, event, value)
        yield value
      }
      throw new Error('the stream was cut')
    } catch (error) {
      if (signal.aborted) return
      const pause = CUTS[cuts++]
      if (error instanceof ReeveError || route.resume === null || pause === undefined) throw broken(error)
      line.lose(error as Error)
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
}

function behind(route: Route, from: { input: unknown; id: string | null }, event: ServerEvent, value: unknown): typeof from {
  if (route.resume === 'id') return { ...from, id: event.id ?? from.id }
  if (route.resume !== 'runs') return from
  const { run, seq } = value as { run: string; seq: number }
  const input = from.input as { after?: Record<string, number> }
  return { input: { ...input, after: { ...input.after, [run]: seq } }, id: null }
}

function broken(error: unknown): unknown {
  if (error instanceof ReeveError) return error
  return new ReeveError('daemon_lost', { problem: problemOf(error) }, { cause: error })
}
