/** One event of `text/event-stream`. */
export interface ServerEvent {
  type: string
  id: string | null
  data: string
}

/** Reads server-sent events as they come; what is cut off in the middle is dropped, as browsers do. */
export async function* readEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  let event: ServerEvent = { type: 'message', id: null, data: '' }
  let any = false
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line !== '') {
        any = read(line.endsWith('\r') ? line.slice(0, -1) : line, event) || any
        continue
      }
      if (any) yield event
      event = { type: 'message', id: null, data: '' }
      any = false
    }
  }
}

/** Did the line say data? A comment or an empty event is none. */
function read(line: string, event: ServerEvent): boolean {
  const at = line.indexOf(':')
  const [field, value] = at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1).replace(/^ /, '')]
  if (field === 'event') event.type = value
  if (field === 'id') event.id = value
  if (field !== 'data') return false
  event.data = event.data === '' ? value : `${event.data}\n${value}`
  return true
}
