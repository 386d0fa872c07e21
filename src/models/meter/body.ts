import type { IncomingMessage } from 'node:http'

/** The body of a request on its way, and what was seen in it. */
export interface PassingBody {
  stream: ReadableStream<Uint8Array>
  /** Name of the model, as far as it has passed. */
  model(): string | null
  /** How much of it has passed. */
  bytes(): number
}

// A name and its key; within a string the quotes are others.
const MODEL = /"model"\s*:\s*"([^"\\]{1,200})"/
const OVERLAP = 300

/** As fast as it is taken. Nobody who stops to take it ends the connection: what is left of the request is read and dropped. */
export function passingBody(request: IncomingMessage): PassingBody {
  let found: string | null = null
  let tail = ''
  let bytes = 0
  const look = (piece: Buffer) => {
    bytes += piece.length
    if (found !== null) return
    const text = tail + piece.toString('latin1')
    found = MODEL.exec(text)?.[1] ?? null
    tail = text.slice(-OVERLAP)
  }
  let dropped = false
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      request.on('data', (piece: Buffer) => {
        if (dropped) return
        look(piece)
        controller.enqueue(piece)
        if ((controller.desiredSize ?? 0) <= 0) request.pause()
      })
      request.once('end', () => dropped || controller.close())
      request.once('error', (error) => dropped || controller.error(error))
      request.pause()
    },
    pull: () => void request.resume(),
    cancel() {
      dropped = true
      request.resume()
    },
  })
  return { stream, model: () => found, bytes: () => bytes }
}
