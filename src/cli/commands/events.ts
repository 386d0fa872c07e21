import type { CommandRun } from '../command-spec.ts'
import { say, sayJson } from '../io.ts'
import { eventLine } from '../live/line.ts'

export const events: CommandRun = async (io, _args, options) => {
  const client = await io.client()
  const leave = new AbortController()
  const quiet = io.onInterrupt(() => leave.abort())
  const input = {
    ...(options['after'] === undefined ? {} : { after: options['after'] as number }),
    all: options['all'] === true,
    types: (options['type'] as string[] | undefined) ?? [],
    runs: (options['run'] as string[] | undefined) ?? [],
    follow: options['follow'] === true,
  }
  try {
    for await (const event of client.stream('events.watch', input, leave.signal)) {
      const line = io.json ? '' : eventLine(io, event, event.run)
      if (io.json) sayJson(io, event)
      else if (line !== '') say(io, line)
    }
  } finally {
    quiet()
  }
  return leave.signal.aborted ? 130 : 0
}
