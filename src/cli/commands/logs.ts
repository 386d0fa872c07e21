import type { CommandRun } from '../command-spec.ts'
import { say, sayJson } from '../io.ts'
import { eventLine } from '../live/line.ts'

export const logs: CommandRun = async (io, args, options) => {
  const client = await io.client()
  const leave = new AbortController()
  const quiet = io.onInterrupt(() => leave.abort())
  const input = { run: args[0] ?? '', after: (options['after'] as number | undefined) ?? 0, follow: options['follow'] === true }
  try {
    for await (const event of client.stream('runs.events', input, leave.signal)) {
      if (io.json) sayJson(io, event)
      else {
        const line = eventLine(io, event)
        if (line !== '') say(io, line)
      }
    }
  } finally {
    quiet()
  }
  return leave.signal.aborted ? 130 : 0
}
