import { Hono } from 'hono'
import { mustMay } from '../access/permissions.ts'
import type { Gateway } from '../client/client.ts'
import type { Actor } from '../core/actor.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { Caller } from '../operations/context.ts'
import { readTraceparent } from '../telemetry/trace-ids.ts'
import { mountAliases } from './aliases.ts'
import { answer } from './answer.ts'
import { type App, type Bound, honoPath, known } from './bound.ts'
import { type Callers, putCaller } from './callers.ts'
import { createDocuments } from './documents.ts'
import { guard, guardAddress, type Via } from './guard.ts'
import { createKeys, type KeptAnswers } from './idempotency.ts'
import { createLimits, type Limits } from './limits.ts'
import { problemResponse } from './problem.ts'
import { METHODS, routesOf } from './routes.ts'

export interface HttpOptions {
  gateway: Gateway
  /** Who sends this `Authorization`; null: nobody we know. `from` is the address of the peer. */
  authenticate(authorization: string | null, via: Via, from?: string): Promise<Actor | null>
  /** What requests over TCP may say in `Host`: see `hostNames`. Asked each time, since the port is known only when it is listened on. */
  hosts: () => readonly string[]
  callers: Callers
  /** Answers of other rooms: `/health` and `/ready` to everybody, `/metrics` and `/mcp` to known callers. */
  health(request: Request): Promise<Response>
  ready(request: Request): Promise<Response>
  metrics(request: Request): Promise<Response>
  mcp(request: Request, caller: Caller): Promise<Response>
  log(entry: RequestEntry): void
  version: string
  /** Where answers to requests with an `Idempotency-Key` are kept. */
  answers: KeptAnswers
  requestsPerMinute?: number
  streamsPerCaller?: number
  /** How late this process is, in ms: `loopDelay()` in a daemon. */
  loopDelay?: () => number
  clock?: Clock
}

/** A request that was answered, for the log and the metrics. Holds no header and no query: there are tokens and secrets. */
export interface RequestEntry {
  method: string
  path: string
  /** The path with its fields as names, `/api/v1/runs/{run}`: few enough for a label. */
  route: string | null
  status: number
  ms: number
  via: Via
  actor: string | null
  /** What went wrong, where it is ours: an answer of 500 and more. */
  problem: string | null
}

export interface Http {
  /** `from` is the address of the peer, for who guesses tokens. Never throws. */
  fetch(request: Request, via: Via, from?: string): Promise<Response>
}

/** The operations over HTTP: guards, then who calls and how often, then the route. */
export function createHttp(options: HttpOptions): Http {
  const { clock = systemClock, requestsPerMinute = 1200, streamsPerCaller = 100, loopDelay = () => 0 } = options
  const limits = createLimits({ clock, requestsPerMinute, streamsPerCaller, loopDelay })
  const app = mount(options, limits)
  return {
    async fetch(request, via, from) {
      const begun = performance.now()
      const bound: Bound = { via, from, caller: null, route: null, problem: null }
      const response = withSecurity(await respond(options, limits, app, request, bound))
      const { method, url } = request
      const path = url.slice(url.indexOf('/', 8)).split('?')[0] ?? ''
      const actor = bound.caller?.actor.name ?? null
      const ms = performance.now() - begun
      options.log({ method, path, route: bound.route, status: response.status, ms, via, actor, problem: bound.problem })
      return response
    },
  }
}

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
}

export function withSecurity(response: Response): Response {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) if (!response.headers.has(name)) response.headers.set(name, value)
  return response
}

/** What a program that watches this one, and a reader of the documents, has no token for. */
const OPEN = new Set(['/health', '/ready', '/api', '/api/v1/openapi.json'])

async function respond(options: HttpOptions, limits: Limits, app: App, request: Request, bound: Bound): Promise<Response> {
  try {
    guard(request.headers, bound.via, options.hosts())
    const path = guardAddress(request.url)
    if (!OPEN.has(path)) {
      bound.caller = await callerOf(options, request, bound)
      limits.request(bound.caller.actor)
    }
    if (request.method === 'OPTIONS') return optionsOf(app, path)
    return await app.fetch(request, bound)
  } catch (error) {
    return refuse(error, bound)
  }
}

function refuse(error: unknown, bound: Bound): Response {
  const headers = error instanceof ReeveError ? headersOf(error) : {}
  const response = problemResponse(error, headers)
  if (response.status >= 500) bound.problem = problemOf(error)
  return response
}

function headersOf({ code, details }: ReeveError): Record<string, string> {
  if (code === 'unauthorized') return { 'www-authenticate': 'Bearer' }
  return code === 'method_not_allowed' ? { allow: String(details['allowed']) } : {}
}

async function callerOf(options: HttpOptions, request: Request, { via, from }: Bound): Promise<Caller> {
  const authorization = request.headers.get('authorization')
  const actor = await options.authenticate(authorization, via, from)
  if (actor === null) {
    throw new ReeveError('unauthorized', { problem: authorization === null ? 'it sends no token' : 'its token is none of ours' })
  }
  const id = request.headers.get('reeve-caller')
  const traceparent = request.headers.get('traceparent') ?? ''
  const traced = readTraceparent(traceparent) === null ? {} : { trace: traceparent }
  if (id === null) return { actor, cwd: null, env: null, via: from ?? via, ...traced }
  const place = actor.kind === 'user' && via === 'socket' ? options.callers.get(id) : null
  if (place === null) throw new ReeveError('caller_unknown', { caller: id.slice(0, 100) })
  return { actor, cwd: place.cwd, env: place.env, via, ...traced }
}

function mount(options: HttpOptions, limits: Limits): App {
  const app: App = new Hono<{ Bindings: Bound }>({ strict: true })
  const keys = createKeys(options.answers)
  const documents = createDocuments(options.version)
  app.get('/health', (c) => options.health(c.req.raw))
  app.get('/ready', (c) => options.ready(c.req.raw))
  app.get('/metrics', (c) => {
    // Counts are of all projects together.
    mustMay(known(c.env).actor, 'system:read', 'read the metrics')
    return options.metrics(c.req.raw)
  })
  app.get('/api', () => documents.page())
  app.get('/api/v1/openapi.json', () => documents.openapi())
  app.all('/mcp', async (c) => {
    const release = limits.stream(known(c.env).actor)
    try {
      return held(await options.mcp(c.req.raw, known(c.env)), release)
    } catch (error) {
      release()
      throw error
    }
  })
  app.put('/caller', async (c) => Response.json(await putCaller(options.callers, c.req.raw, known(c.env), c.env.via)))
  for (const route of routesOf()) {
    app.on(route.method, honoPath(route.path), (c) => {
      c.env.route = route.path
      const caller = known(c.env)
      return answer(route, { client: options.gateway.as(caller), caller, request: c.req.raw, params: c.req.param(), limits, keys })
    })
  }
  mountAliases(app, options.gateway, keys)
  app.notFound((c) => refuse(wrongRoute(app, c.req.method, c.req.path), c.env))
  app.onError((error, c) => refuse(error, c.env))
  return app
}

/** An answer that stays open is one of the streams of its caller until it has ended or its reader has gone. */
function held(response: Response, release: () => void): Response {
  const { body, status, headers } = response
  if (body === null) {
    release()
    return response
  }
  return new Response(body.pipeThrough(new TransformStream({ flush: release, cancel: release })), { status, headers })
}

function allowedAt(app: App, path: string): string[] {
  const found = METHODS.filter((it) => app.router.match(it, path)[0].length > 0)
  return found.flatMap((it) => (it === 'GET' ? ['GET', 'HEAD'] : [it]))
}

function optionsOf(app: App, path: string): Response {
  const allowed = allowedAt(app, path)
  if (allowed.length === 0) throw new ReeveError('no_route', { route: path.slice(0, 200) })
  return new Response(null, { status: 204, headers: { allow: [...allowed, 'OPTIONS'].join(', ') } })
}

function wrongRoute(app: App, method: string, path: string): ReeveError {
  const allowed = allowedAt(app, path)
  if (allowed.length === 0) return new ReeveError('no_route', { route: path.slice(0, 200) })
  return new ReeveError('method_not_allowed', { route: path.slice(0, 200), method, allowed: allowed.join(', ') })
}
