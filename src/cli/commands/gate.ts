import type { EventOf } from '../../client/client.ts'
import type { TaskKind } from '../../core/task.ts'
import type { Verdict } from '../../core/verdict.ts'
import type { CommandRun } from '../command-spec.ts'
import { duration } from '../figures.ts'
import { answer, type Io, remark } from '../io.ts'
import { mark } from '../live/frame.ts'
import { oneLine } from '../text.ts'
import { verdictLines } from './verdict-lines.ts'

export const gate: CommandRun = async (io, args, options) => {
  const client = await io.client()
  const [path] = args
  const base = options['base'] as string | undefined
  const kind = options['kind'] as TaskKind | undefined
  const leave = new AbortController()
  const quiet = io.onInterrupt(() => leave.abort())
  const input = {
    only: (options['only'] as string[] | undefined) ?? [],
    ...(path === undefined ? {} : { path: io.resolve(path) }),
    ...(base === undefined ? {} : { base }),
    ...(kind === undefined ? {} : { kind }),
  }
  let verdict: Verdict | undefined
  try {
    for await (const event of client.stream('gates.run', input, leave.signal)) {
      if (event.type === 'verdict') verdict = event.verdict
      else if (!io.json) remark(io, progress(io, event))
    }
  } catch (error) {
    if (leave.signal.aborted) return 130
    throw error
  } finally {
    quiet()
  }
  if (!verdict) return 130
  const found = verdict
  answer(io, found, () => verdictLines(io, found))
  return exitCode(found)
}

/** Nothing that ran may have failed; where nothing ran at all, nothing is known. */
function exitCode(verdict: Verdict): number {
  if (verdict.status === 'failed') return 1
  return verdict.status === 'not_run' ? 3 : 0
}

function progress(io: Io, event: Exclude<EventOf<'gates.run'>, { type: 'verdict' }>): string {
  if (event.type === 'gate.started') return io.paint('dim', `  ${event.gate}${placeOf(event.where)}: ${oneLine(event.command)}`)
  if (event.type === 'proof.finished') return io.paint('dim', `  red proof ${event.status.replace('_', ' ')}: ${oneLine(event.summary)}`)
  return `${mark(io, event.where === 'change' ? event.status : 'queued')} ${event.gate}${placeOf(event.where)} ${event.status.replace('_', ' ')} ${io.paint('dim', duration(event.durationMs))}`
}

function placeOf(where: 'change' | 'base' | 'proof'): string {
  return where === 'change' ? '' : ` (${where})`
}
