import { type Json, parseJson } from '../core/json.ts'

/** A list of models, with their templates, stays below this. */
const MOST_BYTES = 8 * 1024 * 1024

/** Questions about a server that cost nothing; null: no such answer. Never throws, never follows a redirect. */
export type AskServer = (path: string, body?: Json) => Promise<Json | null>

/** Asks the server at `root` as JSON. All questions together end with the signal. */
export function askServer(fetching: typeof fetch, root: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): AskServer {
  return async (path, body) => {
    try {
      const asked = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
      const response = await fetching(`${root}${path}`, {
        ...asked,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        redirect: 'error',
        signal,
      })
      const text = await textUpTo(response, MOST_BYTES)
      return response.ok && text !== null ? parseJson(text, path) : null
    } catch {
      // Whatever it is: it is no answer.
      return null
    }
  }
}

/** The text of an answer, or null when it is longer. */
export async function textUpTo(response: Response, most: number): Promise<string | null> {
  if (!response.body) return ''
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of response.body as ReadableStream<Uint8Array>) {
    bytes += piece.byteLength
    if (bytes > most) return null
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
