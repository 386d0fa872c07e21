import { expect, it } from 'vitest'
import { type AskServer, askServer } from './ask-server.ts'

/** Questions to a server that gives this answer. */
function asking(answer: () => Response | Promise<Response>, seen: [string, RequestInit | undefined][] = []): AskServer {
  const fetching = async (target: unknown, init?: RequestInit) => {
    seen.push([String(target), init])
    return answer()
  }
  return askServer(fetching, 'http://x', { authorization: 'Bearer k' }, new AbortController().signal)
}

it('gives what the server says as JSON, and asks with the key and without following anybody', async () => {
  const seen: [string, RequestInit | undefined][] = []
  const ask = asking(() => Response.json({ ok: 1 }), seen)
  expect(await ask('/a')).toEqual({ ok: 1 })
  expect(await ask('/b', { model: 'm' })).toEqual({ ok: 1 })
  expect(seen).toMatchObject([
    ['http://x/a', { headers: { authorization: 'Bearer k' }, redirect: 'error' }],
    ['http://x/b', { method: 'POST', body: '{"model":"m"}', redirect: 'error' }],
  ])
})

it('has no answer where there is none: an error, no JSON, more than anybody reads, nobody', async () => {
  const endless = new ReadableStream<Uint8Array>({ pull: (out) => out.enqueue(new Uint8Array(1024 * 1024).fill(32)) })
  const answers: (() => Response | Promise<Response>)[] = [
    () => new Response('{}', { status: 404 }),
    () => new Response('<html>'),
    () => new Response(endless),
    () => Promise.reject(new TypeError('fetch failed')),
  ]
  for (const answer of answers) expect(await asking(answer)('/a')).toBeNull()
})
