import { ProviderFailure } from '../guard.ts'

/** The lines of a body, decoded; empty ones are left out. A line without an end is given at last. */
export async function* linesOf(body: ReadableStream<Uint8Array>, mostChars: number): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + piece).split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) if (line.trim() !== '') yield line
    if (rest.length > mostChars) throw new ProviderFailure('bad_output', `A line of the stream is longer than ${mostChars} characters.`)
  }
  if (rest.trim() !== '') yield rest
}
