import type { Client } from '../client/client.ts'
import { ReeveError } from '../core/errors.ts'
import type { Json } from '../core/json.ts'
import type { Caller } from '../operations/context.ts'
import type { Stream } from '../operations/operation.ts'
import { BODY_LIMIT, readBody, SUBMIT_LIMIT } from './body.ts'
import { idempotencyKey, type Keys, withKey } from './idempotency.ts'
import type { Limits } from './limits.ts'
import { fromQuery } from './query.ts'
import type { CallRoute, Route, StreamRoute } from './routes.ts'
import { eventBody } from './sse.ts'
import { checkFields } from './strict.ts'

export interface Asked {
  client: Client
  caller: Caller
  request: Request
  params: Record<string, string>
  limits: Limits
  keys: Keys
}

/** Answers one request for an operation. Throws what the operation throws. */
export async function answer(route: Route, asked: Asked): Promise<Response> {
  const input = await inputOf(route, asked)
  const key = route.method === 'GET' ? null : idempotencyKey(asked.request.headers)
  if (route.streams) return streamed(route, input, asked)
  if (key === null) return called(route, input, asked)
  // An answer with a key in it is shown once and kept nowhere.
  if (route.verb.permission === 'keys:admin') {
    throw new ReeveError('invalid_input', { problem: `${route.name} takes no Idempotency-Key: its answer is not kept` })
  }
  const actor = whoseKeys(asked.caller)
  return asked.keys.once({ key, actor, name: route.name, input }, () => called(route, withKey(route.name, input, actor, key), asked))
}

/** A name may be given to another key later, which must not see what the first one was answered. */
export function whoseKeys({ actor }: Caller): string {
  return actor.id ?? actor.name
}

async function called(route: CallRoute, input: object, { client, request }: Asked): Promise<Response> {
  return Response.json(await client.call(route.name, input, request.signal))
}

async function inputOf(route: Route, { request, params }: Asked): Promise<Record<string, unknown>> {
  const { searchParams } = new URL(request.url)
  const fromPath = fromQuery(new URLSearchParams(params), route.schema)
  if (route.fields === 'query') {
    if (hasBody(request)) throw new ReeveError('invalid_input', { problem: `${route.name} takes no body; its fields go into the query` })
    return merged(fromQuery(searchParams, route.schema), fromPath)
  }
  const [extra] = searchParams.keys()
  if (extra !== undefined) {
    throw new ReeveError('invalid_input', { problem: `${route.name} takes no "${extra}" in the query; its fields go into the body` })
  }
  const limit = route.name === 'runs.submit' ? SUBMIT_LIMIT : BODY_LIMIT
  const fields = tableOf(await readBody(request, limit))
  checkFields(fields)
  return merged(fields, fromPath)
}

export function hasBody({ headers }: Request): boolean {
  return headers.has('transfer-encoding') || (headers.get('content-length') ?? '0') !== '0'
}

export function tableOf(body: Json): Record<string, unknown> {
  if (body !== null && typeof body === 'object' && !Array.isArray(body)) return body
  throw new ReeveError('invalid_input', { problem: 'the body must be a table' })
}

/** A field of the path is said there and nowhere else. */
function merged(rest: Record<string, unknown>, path: Record<string, unknown>): Record<string, unknown> {
  for (const field of Object.keys(path)) {
    if (Object.hasOwn(rest, field)) throw new ReeveError('invalid_input', { problem: `"${field}" is in the path already` })
  }
  return { ...rest, ...path }
}

/** An error that comes at once is an answer with its status; a later one is an event of the stream. */
const AT_ONCE_MS = 200

async function streamed(route: StreamRoute, input: Record<string, unknown>, asked: Asked): Promise<Response> {
  const { client, caller, request, limits } = asked
  const { resume } = route.verb as unknown as Stream
  // An empty one is none: the number 0 would give everything again.
  const last = request.headers.get('last-event-id') ?? ''
  const wanted = { ...input, ...(last === '' || resume === undefined ? {} : resume.after(last)) }
  const form = (request.headers.get('accept') ?? '').includes('application/x-ndjson') ? 'ndjson' : 'sse'

  const release = limits.stream(caller.actor)
  const over = new AbortController()
  const onClose = () => {
    over.abort()
    release()
  }
  try {
    const stream = client.stream(route.name, wanted, AbortSignal.any([over.signal, request.signal]))
    const events = stream[Symbol.asyncIterator]()
    const first = events.next()
    // Whoever reads on hears of it.
    first.catch(() => undefined)
    await Promise.race([first, new Promise((resolve) => setTimeout(resolve, AT_ONCE_MS).unref())])
    const body = eventBody(withFirst(first, events), { idOf: resume === undefined ? null : (event) => resume.id(event), form, onClose })
    const headers = { 'content-type': form === 'sse' ? 'text/event-stream; charset=utf-8' : 'application/x-ndjson' }
    if (request.method !== 'HEAD') return new Response(body, { headers })
    await body.cancel()
    return new Response(null, { headers })
  } catch (error) {
    onClose()
    throw error
  }
}

/** The iterator again, with its first answer asked for already. */
function withFirst(first: Promise<IteratorResult<unknown>>, events: AsyncIterator<unknown>): AsyncIterator<unknown> {
  let asked = false
  return {
    next() {
      if (asked) return events.next()
      asked = true
      return first
    },
    return: async () => (await events.return?.()) ?? { done: true, value: undefined },
  }
}
