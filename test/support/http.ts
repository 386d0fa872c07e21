import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type App, createApp } from '../../src/app.ts'
import type { Client, Gateway } from '../../src/client/client.ts'
import { type Actor, localUser } from '../../src/core/actor.ts'
import { ReeveError } from '../../src/core/errors.ts'
import type { Workflow } from '../../src/engine/port.ts'
import { createCallers } from '../../src/http/callers.ts'
import { createHttp, type Http, type HttpOptions, type RequestEntry } from '../../src/http/create.ts'
import type { Via } from '../../src/http/guard.ts'
import { hostNames } from '../../src/http/guard.ts'
import { TOYS } from './app.ts'
import { temporaryFolder } from './folder.ts'

const TEMPLATES = join(import.meta.dirname, '../../templates')

/** Tokens of the callers of tests, and who they are. */
export const ACTORS: Readonly<Record<string, Actor>> = {
  own: localUser('tester'),
  viewer: { kind: 'key', name: 'key:viewer', role: 'viewer', projects: null },
  operator: { kind: 'key', name: 'key:operator', role: 'operator', projects: null },
  admin: { kind: 'key', name: 'key:admin', role: 'admin', projects: null },
}

export interface TestHttp {
  http: Http
  app: App
  home: string
  log: RequestEntry[]
  /** A request as a caller with its token sends it; a body that is no text goes as JSON. */
  ask: (route: string, body?: unknown, more?: { token?: string | null; via?: Via; headers?: Record<string, string> }) => Promise<Response>
}

/** The real product behind the HTTP face, as functions: no socket is opened. */
export function testHttp(more: Partial<HttpOptions> = {}, workflows: Readonly<Record<string, Workflow>> = {}): TestHttp {
  const home = temporaryFolder('reeve-http-')
  const app = createApp({
    env: { PATH: process.env['PATH'], HOME: home, REEVE_HOME: join(home, 'reeve'), REEVE_SANDBOX__MINIMUM: 'guarded' },
    version: '1.2.3',
    self: [process.execPath],
    templates: TEMPLATES,
    workflows: { ...TOYS, ...workflows },
  })
  onTestFinished(() => app.close())
  const log: RequestEntry[] = []
  const http = createHttp({
    gateway: app,
    authenticate: async (authorization) => ACTORS[authorization?.replace(/^Bearer /, '') ?? ''] ?? null,
    hosts: () => hostNames({ host: '127.0.0.1', port: 7433, hosts: [] }),
    callers: createCallers(),
    health: async () => Response.json({ status: 'ok' }),
    ready: async () => Response.json({ status: 'ok' }),
    metrics: async () => new Response('up 1\n', { headers: { 'content-type': 'text/plain' } }),
    mcp: async (_, caller) => Response.json({ actor: caller.actor.name }),
    log: (entry) => log.push(entry),
    version: '1.2.3',
    answers: {
      findAnswer: async (id) => (await app.store()).access.findAnswer(id),
      keepAnswer: async (id, answer) => (await app.store()).access.keepAnswer(id, answer),
    },
    ...more,
  })
  return { http, app, home, log, ask: (route, body, how) => http.fetch(requestOf(route, body, how), how?.via ?? 'tcp') }
}

/** A product whose only verb is a stream of events that the test makes. */
export function streamingGateway(events: (input: { after?: unknown }, signal: AbortSignal) => AsyncIterable<unknown>): Gateway {
  const call: Client['call'] = () => Promise.reject(new ReeveError('internal', { problem: 'no calls here' }))
  const stream = ((_: string, input: object, signal: AbortSignal) => events(input, signal)) as unknown as Client['stream']
  return { as: () => ({ call, stream, resident: true, close: async () => undefined }) }
}

function requestOf(
  route: string,
  body: unknown,
  { token = 'own', via = 'tcp', headers = {} }: Parameters<TestHttp['ask']>[2] = {},
): Request {
  const [method = 'GET', path = '/'] = route.split(' ')
  const host = via === 'socket' ? 'localhost' : '127.0.0.1:7433'
  return new Request(`http://${host}${path}`, {
    method,
    headers: {
      host,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}
