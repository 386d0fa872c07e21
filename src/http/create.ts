import { Hono } from 'hono'
import type { Gateway } from '../client/client.ts'
import type { Actor } from '../core/actor.ts'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { Caller } from '../operations/context.ts'
import { answer } from './answer.ts'
import { type Callers, putCaller } from './callers.ts'
import { guard, type Via } from './guard.ts'
import { problemResponse } from './problem.ts'
import { METHODS, routesOf } from './routes.ts'

export interface HttpOptions {
  gateway: Gateway
  /** Who sends this `Authorization`; null: nobody we know. */
  authenticate(authorization: string | null, via: Via): Promise<Actor | null>
  /** What requests over TCP may say in `Host`: see `hostNames`. Asked each time, since the port is known only when it is listened on. */
  hosts: () => readonly string[]
  callers: Callers
  /** Answers of other rooms: `/health` and `/ready` to everybody, `/metrics` and `/mcp` to known callers. */
  health(request: Request): Promise<Response>
  ready(request: Request): Promise<Response>
  metrics(request: Request): Promise<Response>
  mcp(request: Request, caller: Caller): Promise<Response>
  log(entry: RequestEntry): void
}

/** A request that was answered, for the log. Holds no header and no query: there are tokens and secrets. */
export interface RequestEntry {
  method: string
  path: string
  status: number
  ms: number
  via: Via
  actor: string | null
  /** What went wrong, where it is ours: an answer of 500 and more. */
  problem: string | null
}

export interface Http {
  /** Never throws. */
  fetch(request: Request, via: Via): Promise<Response>
}

export interface Bound {
  via: Via
  caller: Caller | null
  problem: string | null
}

type App = Hono<{ Bindings: Bound }>

/** The operations over HTTP: guards, then who calls, then the route. */
export function createHttp(options: HttpOptions): Http {
  const app = mount(options)
  return {
    async fetch(request, via) {
      const begun = performance.now()
      const bound: Bound = { via, caller: null, problem: null }
      const response = await respond(options, app, request, bound)
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) if (!response.headers.has(name)) response.headers.set(name, value)
      const { pathname } = new URL(request.url)
      const ms = performance.now() - begun
      options.log({
        method: request.method,
        path: pathname,
        status: response.status,
        ms,
        via,
        actor: bound.caller?.actor.name ?? null,
        problem: bound.problem,
      })
      return response
    },
  }
}

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
}

async function respond(options: HttpOptions, app: App, request: Request, bound: Bound): Promise<Response> {
  try {
    guard(request.headers, bound.via, options.hosts())
    const { pathname } = new URL(request.url)
    if (!OPEN.has(pathname)) bound.caller = await callerOf(options, request, bound.via)
    return await app.fetch(request, bound)
  } catch (error) {
    return refuse(error, bound)
  }
}

function refuse(error: unknown, bound: Bound): Response {
  const response = problemResponse(
    error,
    error instanceof ReeveError && error.code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {},
  )
  if (response.status >= 500) bound.problem = problemOf(error)
  return response
}

/** What a program that watches this one, and a reader of the documents, has no token for. */
const OPEN = new Set(['/health', '/ready', '/api', '/api/v1/openapi.json'])

async function callerOf(options: HttpOptions, request: Request, via: Via): Promise<Caller> {
  const actor = await options.authenticate(request.headers.get('authorization'), via)
  if (actor === null) {
    const problem = request.headers.has('authorization') ? 'its token is not one of ours' : 'it sends no token'
    throw new ReeveError('unauthorized', { problem })
  }
  const id = request.headers.get('reeve-caller')
  if (id === null) return { actor, cwd: null, env: null }
  const place = actor.kind === 'user' && via === 'socket' ? options.callers.get(id) : null
  if (place === null) throw new ReeveError('caller_unknown', { caller: id.slice(0, 100) })
  return { actor, cwd: place.cwd, env: place.env }
}

function mount(options: HttpOptions): App {
  const app: App = new Hono<{ Bindings: Bound }>({ strict: true })
  app.get('/health', (c) => options.health(c.req.raw))
  app.get('/ready', (c) => options.ready(c.req.raw))
  app.get('/metrics', (c) => options.metrics(c.req.raw))
  app.all('/mcp', (c) => options.mcp(c.req.raw, known(c.env)))
  app.put('/caller', async (c) => Response.json(await putCaller(options.callers, c.req.raw, known(c.env), c.env.via)))
  for (const route of routesOf()) {
    app.on(route.method, route.path.replaceAll(/\{(\w+)\}/g, ':$1'), (c) =>
      answer(route, { client: options.gateway.as(known(c.env)), request: c.req.raw, params: c.req.param() }),
    )
  }
  app.notFound((c) => refuse(wrongRoute(app, c.req.method, c.req.path), c.env))
  app.onError((error, c) => refuse(error, c.env))
  return app
}

function known({ caller }: Bound): Caller {
  if (caller === null) throw new ReeveError('unauthorized', { problem: 'it sends no token' })
  return caller
}

function wrongRoute(app: App, method: string, path: string): ReeveError {
  const allowed = METHODS.filter((it) => app.router.match(it, path)[0].length > 0)
  if (allowed.length === 0) return new ReeveError('no_route', { route: path.slice(0, 200) })
  return new ReeveError('method_not_allowed', { route: path.slice(0, 200), method, allowed: allowed.join(', ') })
}
