import type { Client, InputOf, OperationName, StreamName } from '../client/client.ts'
import { ReeveError } from '../core/errors.ts'
import type { Json } from '../core/json.ts'
import type { Stream } from '../operations/operation.ts'
import { readBody } from './body.ts'
import { fromQuery } from './query.ts'
import { inputSchema, type Route, type StreamRoute } from './routes.ts'
import { eventBody } from './sse.ts'

export interface Asked {
  client: Client
  request: Request
  params: Record<string, string>
}

/** Answers one request for an operation. Throws what the operation throws. */
export async function answer(route: Route, asked: Asked): Promise<Response> {
  const input = await inputOf(route, asked)
  if (route.streams) return streamed(route, input, asked)
  const output = await asked.client.call(route.name, input as InputOf<OperationName>, asked.request.signal)
  return Response.json(output)
}

async function inputOf(route: Route, { request, params }: Asked): Promise<Record<string, unknown>> {
  const { searchParams } = new URL(request.url)
  const schema = inputSchema(route.verb)
  const fromPath = fromQuery(new URLSearchParams(params), schema)
  if (route.fields === 'query') return merged(fromQuery(searchParams, schema), fromPath)
  const [extra] = searchParams.keys()
  if (extra !== undefined)
    throw new ReeveError('invalid_input', { problem: `${route.name} takes no "${extra}" in the query; its fields go into the body` })
  return merged(tableOf(await readBody(request)), fromPath)
}

function tableOf(body: Json): Record<string, unknown> {
  if (body !== null && typeof body === 'object' && !Array.isArray(body)) return body
  throw new ReeveError('invalid_input', { problem: 'the body must be a table' })
}

/** A field of the path is said there and nowhere else. */
function merged(rest: Record<string, unknown>, path: Record<string, unknown>): Record<string, unknown> {
  const twice = Object.keys(path).find((it) => Object.hasOwn(rest, it))
  if (twice !== undefined) throw new ReeveError('invalid_input', { problem: `"${twice}" is in the path already` })
  return { ...rest, ...path }
}

/** An error that comes at once is an answer with its status; a later one is an event of the stream. */
const AT_ONCE_MS = 200

async function streamed(route: StreamRoute, input: Record<string, unknown>, { client, request }: Asked): Promise<Response> {
  const { resume } = route.verb as unknown as Stream
  const last = request.headers.get('last-event-id')
  const wanted = { ...input, ...(last === null || resume === undefined ? {} : resume.after(last)) }
  const form = (request.headers.get('accept') ?? '').includes('application/x-ndjson') ? 'ndjson' : 'sse'
  const over = new AbortController()
  const events = client
    .stream(route.name, wanted as InputOf<StreamName>, AbortSignal.any([over.signal, request.signal]))
    [Symbol.asyncIterator]()
  const first = events.next()
  // Whoever reads on hears of it.
  first.catch(() => undefined)
  await Promise.race([first, new Promise((resolve) => setTimeout(resolve, AT_ONCE_MS).unref())])
  const body = eventBody(withFirst(first, events), { idOf: resume?.id ?? null, form, onClose: () => over.abort() })
  return new Response(body, { headers: { 'content-type': form === 'sse' ? 'text/event-stream' : 'application/x-ndjson' } })
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
