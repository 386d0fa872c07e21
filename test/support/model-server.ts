import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { type Json, parseJson } from '../../src/core/json.ts'
import { type Dialect, dialectOf, type Tokens } from './model-dialects.ts'

/** What the server does with one request, whatever the dialect. */
export type Reply =
  | { kind: 'text'; text: string; usage?: Tokens | null }
  | { kind: 'call'; name: string; input: Json; text?: string }
  | { kind: 'status'; status: number; body?: Json; headers?: Record<string, string> }
  /** Says nothing more, and keeps the connection open: before the headers, after them, or after some text. */
  | { kind: 'stall'; after: 'nothing' | 'headers' | 'text' }
  /** Signs of life, every 50 ms, then the text. */
  | { kind: 'slow'; signs: number; text: string }
  | { kind: 'garbage' }
  | { kind: 'refusal' }
  /** Cuts the connection. */
  | { kind: 'reset'; after: 'nothing' | 'text' }
  /** Ends the stream properly but without a finish. */
  | { kind: 'cut' }
  | { kind: 'flood'; bytes: number }
  /** An error inside a stream that began well. */
  | { kind: 'broken'; problem: string }
  | { kind: 'redirect'; to: string }

export interface SeenRequest {
  path: string
  headers: IncomingHttpHeaders
  body: { [key: string]: Json }
}

export interface ModelServer {
  url: string
  /** Taken one by one; the last one stays. */
  replies: Reply[]
  seen: SeenRequest[]
  /** What it says of itself, by path with its query. Else its list of models is empty, or the reply where that is a status; the rest is 404. */
  facts: { [path: string]: Json }
  /** Questions of that sort, with the bodies of those that had one. */
  asked: { path: string; headers: IncomingHttpHeaders; body: Json }[]
  /** Connections that are open now. */
  open(): Promise<number>
}

/** These play the replies. */
const ASKS_MODEL = /\/(chat\/completions|messages|responses|api\/chat)$|:(streamG|g)enerateContent/

/** A scripted model server on loopback that speaks five dialects, chosen by path. Closed with the test. */
export async function startModelServer(...replies: Reply[]): Promise<ModelServer> {
  const seen: SeenRequest[] = []
  const server = createServer((incoming, outgoing) => {
    void handle(incoming, outgoing).catch(() => outgoing.destroy())
  })
  const state: ModelServer = {
    url: '',
    replies,
    seen,
    facts: {},
    asked: [],
    open: () => new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count)))),
  }

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = incoming.url ?? ''
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    if (!ASKS_MODEL.test(path)) {
      state.asked.push({ path, headers: incoming.headers, body: text === '' ? null : parseJson(text, path) })
      const [next] = state.replies
      const lists = path.endsWith('/models') && !path.startsWith('/api/')
      if (lists && next?.kind === 'status') return play(next, dialectOf(path), outgoing)
      const fact = state.facts[path] ?? (lists ? { data: [] } : undefined)
      outgoing.writeHead(fact === undefined ? 404 : 200, { 'content-type': 'application/json' })
      return void outgoing.end(JSON.stringify(fact ?? { error: 'not found' }))
    }
    seen.push({ path, headers: incoming.headers, body: (text === '' ? {} : parseJson(text, path)) as SeenRequest['body'] })
    const reply = state.replies.length > 1 ? state.replies.shift() : state.replies[0]
    if (!reply) return void outgoing.writeHead(500).end('no reply is scripted')
    await play(reply, dialectOf(path), outgoing)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return state
}

async function play(reply: Reply, dialect: Dialect, out: ServerResponse): Promise<void> {
  if (reply.kind === 'status') {
    out.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
    return void out.end(JSON.stringify(reply.body ?? { error: { message: `status ${reply.status}`, type: 'error' } }))
  }
  if (reply.kind === 'redirect') return void out.writeHead(307, { location: reply.to }).end()
  if (reply.kind === 'reset' && reply.after === 'nothing') return void out.destroy()
  if (reply.kind === 'stall' && reply.after === 'nothing') return

  out.writeHead(200, { 'content-type': dialect.type ?? 'text/event-stream' })
  out.flushHeaders()
  if (reply.kind === 'garbage') return void out.end('data: {"this is": not json at all\n\ndata: <html>\n\n')
  if (reply.kind === 'stall' && reply.after === 'headers') return
  if (reply.kind === 'flood') return flood(reply.bytes, dialect, out)

  out.write(dialect.begin())
  if (reply.kind === 'slow') {
    for (let at = 0; at < reply.signs && !out.destroyed; at++) {
      out.write(dialect.alive ?? ': still here\n\n')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return void out.end(dialect.text(reply.text) + dialect.end('stop', null))
  }
  if (reply.kind === 'text') {
    for (const piece of reply.text.match(/[\s\S]{1,8}/gu) ?? []) out.write(dialect.text(piece))
    return void out.end(dialect.end('stop', reply.usage === undefined ? { input: 12, output: 5, cached: 4 } : reply.usage))
  }
  if (reply.kind === 'call') {
    if (reply.text !== undefined) out.write(dialect.text(reply.text))
    out.write(dialect.call(reply.name, typeof reply.input === 'string' ? reply.input : JSON.stringify(reply.input)))
    return void out.end(dialect.end('calls', { input: 12, output: 5, cached: 0 }))
  }
  if (reply.kind === 'refusal') return void out.end(dialect.end('refusal', { input: 12, output: 0, cached: 0 }))
  if (reply.kind === 'broken') return void out.end(dialect.error(reply.problem))

  // What is left begins to answer and does not come to an end.
  out.write(dialect.text('Once upon'))
  if (reply.kind === 'cut') return void out.end()
  if (reply.kind === 'reset') {
    // Lets the text arrive: a reset at once would take it away with it.
    await new Promise((resolve) => setTimeout(resolve, 50))
    out.destroy()
  }
}

/** Until more can be written, or nobody listens any more. */
async function drained(out: ServerResponse): Promise<void> {
  const over = new AbortController()
  const { signal } = over
  await Promise.race([once(out, 'drain', { signal }), once(out, 'close', { signal })]).finally(() => over.abort())
}

async function flood(bytes: number, dialect: Dialect, out: ServerResponse): Promise<void> {
  out.write(dialect.begin())
  const piece = dialect.text('A long answer that does not end. '.repeat(300))
  for (let sent = 0; sent < bytes && !out.destroyed; sent += piece.length) {
    if (!out.write(piece)) await drained(out)
  }
  out.end(dialect.end('stop', null))
}
