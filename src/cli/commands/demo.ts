import type { CommandRun } from '../command-spec.ts'
import { say, sayJson } from '../io.ts'
import { mark } from '../live/frame.ts'
import { pad, safe } from '../text.ts'

export const demo: CommandRun = async (io, _args, options) => {
  const client = await io.client()
  const leave = new AbortController()
  const quiet = io.onInterrupt(() => leave.abort())
  let ok = false
  try {
    for await (const line of client.stream('demo.run', { keep: options['keep'] === true }, leave.signal)) {
      if (line.type === 'done') ok = line.ok
      if (io.json) sayJson(io, line)
      else if (line.type === 'said') say(io, safe(line.text))
      else if (line.type === 'stage') say(io, `${mark(io, line.happened ? 'passed' : 'failed')} ${pad(line.name, 14)} ${safe(line.text)}`)
      else for (const text of ending(line.ok, line.folder)) say(io, text)
    }
  } finally {
    quiet()
  }
  return ok ? 0 : 1
}

function ending(ok: boolean, folder: string | null): string[] {
  return [
    '',
    ok ? 'Every stage happened.' : 'Not every stage happened; the demo has failed.',
    ...(folder === null ? [] : [`Its folder is left for a look: ${folder}`]),
    'With a real model: name a provider in reeve.toml (reeve init writes one with examples), check it with reeve doctor, then: reeve run "..."',
  ]
}
