import { problemFor } from './problem.ts'

/** Programs in between close what is silent for a minute. */
const KEEP_ALIVE_MS = 15_000

export interface EventStream {
  /** What `Last-Event-ID` of one who comes back would be after this event. */
  idOf: ((event: unknown) => string) | null
  form: 'sse' | 'ndjson'
  /** Called when the stream ends or its reader has gone: its work ends with it. */
  onClose: () => void
}

/**
 * Events as a body. One is asked for when the reader has room for it, so a slow reader slows its source down and nothing piles up here.
 * The end is said: a stream that only breaks off was cut, and its reader comes back.
 */
export function eventBody(events: AsyncIterator<unknown>, { idOf, form, onClose }: EventStream): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const format = form === 'sse' ? SSE : NDJSON
  let alive: NodeJS.Timeout | undefined
  let gone = false
  const close = () => {
    clearInterval(alive)
    onClose()
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const beat = encoder.encode(format.beat)
        alive = setInterval(() => {
          if ((controller.desiredSize ?? 0) > 0) controller.enqueue(beat)
        }, KEEP_ALIVE_MS)
        alive.unref()
        if (form === 'sse') controller.enqueue(encoder.encode(': open\n\n'))
      },
      async pull(controller) {
        try {
          const { done, value } = await events.next()
          if (gone) return
          controller.enqueue(encoder.encode(done === true ? format.end : format.event(value, idOf)))
          if (done !== true) return
        } catch (error) {
          if (gone) return
          controller.enqueue(encoder.encode(format.error(problemFor(error))))
        }
        close()
        controller.close()
      },
      cancel() {
        gone = true
        close()
        // Its source ends in its own time; whoever has gone does not wait for it.
        Promise.resolve(events.return?.()).catch(() => undefined)
      },
    },
    { highWaterMark: 1 },
  )
}

interface Format {
  beat: string
  end: string
  event(event: unknown, idOf: EventStream['idOf']): string
  error(problem: object): string
}

const SSE: Format = {
  beat: ': keep-alive\n\n',
  end: 'event: end\ndata: {}\n\n',
  event: (event, idOf) => `${idOf === null ? '' : `id: ${idOf(event)}\n`}data: ${JSON.stringify(event)}\n\n`,
  error: (problem) => `event: error\ndata: ${JSON.stringify(problem)}\n\n`,
}

/** One JSON value in a line; an empty line keeps it alive, `{"end":true}` ends it, `{"error":…}` ends it with what went wrong. */
const NDJSON: Format = {
  beat: '\n',
  end: '{"end":true}\n',
  event: (event) => `${JSON.stringify(event)}\n`,
  error: (problem) => `${JSON.stringify({ error: problem })}\n`,
}
