import { ProviderFailure } from './guard.ts'

/** Framing around one token's text, in any of the dialects, is well below this. */
const BYTES_PER_CHAR = 64

/**
 * A fetch that tells with each piece of an answer that the server is alive, and stops reading an answer that can no longer be one.
 * Redirects are refused: they would carry the key to another host.
 */
export function watchedFetch(inner: typeof fetch, alive: () => void, outputChars: number): typeof fetch {
  const most = outputChars * BYTES_PER_CHAR
  return async (target, init) => {
    const response = await inner(target, { ...init, redirect: 'error' })
    if (!response.body) return response
    let bytes = 0
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, out) => {
          alive()
          bytes += chunk.byteLength
          if (bytes > most)
            out.error(new ProviderFailure('bad_output', `The server sent more than ${most} bytes for one answer.`, { final: true }))
          else out.enqueue(chunk)
        },
      }),
    )
    return new Response(counted, { status: response.status, statusText: response.statusText, headers: response.headers })
  }
}
