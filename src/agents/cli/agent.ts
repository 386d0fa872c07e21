import { problemOf } from '../../core/errors.ts'
import { atLeast } from '../../core/isolation.ts'
import type { ProgramResult } from '../../process/port.ts'
import type { Agent } from '../port.ts'
import { accessOf, passedSecrets } from './access.ts'
import { problemIn } from './classify.ts'
import type { CliDeps } from './deps.ts'
import { splitLines } from './lines.ts'
import type { Ended, Play } from './play.ts'
import type { CliEvent, CliReader } from './port.ts'
import type { Start } from './stage.ts'
import { workBy } from './work.ts'

/** Its last words are what counts of stderr. */
export const KEEP_BYTES = 64 * 1024
/** The watch ends it long before. */
export const SPARE_MS = 60_000

/**
 * An agent that is a program of its own, started once per step: its prompt goes in, its events come out, line by line. Throws
 * `provider_key_missing`.
 */
export function createCliAgent(deps: CliDeps): Agent {
  accessOf(deps)
  passedSecrets(deps)
  const quiet = deps.adapter.quirks?.quiet ?? 'nothing'
  return {
    provider: deps.name,
    model: deps.settings.model ?? deps.adapter.kind,
    run: (request) => workBy(batch, deps, request, quiet),
  }
}

/** One process for each prompt; the second goes on with the session of the first. */
async function batch(play: Play): Promise<Ended> {
  const { stage, request, deps } = play
  let turn = { prompt: play.prompt, session: stage.session, resume: request.session !== undefined && deps.adapter.session !== 'none' }
  for (;;) {
    const start = await stage.start(turn)
    const trapped = await preflight(start, play)
    if (trapped !== null) return trapped
    const ended = await runOnce(start, play)
    const session = turn.resume && turn.prompt === play.prompt && ended.code !== 0 ? play.anew(ended) : null
    if (session !== null) {
      turn = { prompt: play.prompt, session, resume: false }
      continue
    }
    const again = play.next(ended)
    if (again === null) return ended
    turn = { prompt: again, session: play.session(), resume: true }
  }
}

async function runOnce(start: Start, play: Play): Promise<Ended> {
  const { command, held } = start
  const reader = play.deps.adapter.reader()
  const streams = { stdout: splitLines(), stderr: splitLines() }
  const result = await play.deps.runProgram({
    ...specOf(start, play),
    ...(command.input === null ? {} : { input: command.input }),
    confinement: held.confinement,
    timeoutMs: play.request.limits.timeoutMs + SPARE_MS,
    keepBytes: KEEP_BYTES,
    signal: play.signal,
    onOutput: ({ stream, text }) => hearLines(streams[stream].add(text), stream, reader, play),
  })
  for (const stream of ['stdout', 'stderr'] as const) {
    hearLines(streams[stream].end(), stream, reader, play)
    const { left } = streams[stream]
    if (left > 0)
      play.hear({
        t: 'notice',
        level: 'warning',
        text: `${left === 1 ? '1 line of its output was' : `${left} lines of its output were`} too long to be read.`,
      })
  }
  const ended = endOf(result)
  if (ended.broken === null) for (const event of reader.exited(ended)) play.hear(event)
  return ended
}

function specOf({ argv, env }: Start, { request }: Play) {
  return { argv, env, cwd: request.workspace.path, run: request.origin.run }
}

function hearLines(lines: readonly string[], stream: 'stdout' | 'stderr', reader: CliReader, play: Play): void {
  for (const line of lines) {
    if (line.trim() === '') continue
    const events = eventsIn(line, stream, reader)
    // What it says on stderr while it tries again and again is no sign of life.
    if (stream === 'stdout' && !events.some((it) => it.t === 'retry')) play.alive()
    for (const event of events) play.hear(event)
  }
}

/** A line is anybody's: a program may load what its agent has left in its home. A reader that fails over it must not take reeve with it. */
function eventsIn(line: string, stream: 'stdout' | 'stderr', reader: CliReader): CliEvent[] {
  try {
    return reader.line(line, stream)
  } catch (error) {
    return [{ t: 'notice', level: 'warning', text: `A line of its output could not be read: ${problemIn(problemOf(error))}` }]
  }
}

/** How a process ended, as far as the program is concerned. */
export function endOf(result: ProgramResult): Ended {
  const broken = result.ended !== 'exited' && result.ended !== 'signalled' && result.ended !== 'aborted' ? result : null
  return { code: result.exitCode, signal: result.signal, stderr: result.stderr, broken }
}

/**
 * Codex with a sandbox that cannot start runs no command at all, says nothing of it, and ends well. Only where its own sandbox is the one that
 * is used.
 */
async function preflight(start: Start, play: Play): Promise<Ended | null> {
  if (play.deps.adapter.kind !== 'codex' || atLeast(start.held.confinement.level, 'os-sandbox')) return null
  const [program] = start.argv
  const { confinement } = start.held
  const asked = {
    ...specOf(start, play),
    argv: [program, 'sandbox', '--', 'true'] as const,
    confinement,
    timeoutMs: 20_000,
    signal: play.signal,
  }
  const result = await play.deps.runProgram(asked)
  if (result.ended !== 'exited' || result.exitCode === 0) return null
  const words = result.stderr.trim().split('\n').at(-1) ?? ''
  play.hear({ t: 'error', class: 'config', problem: `The sandbox of codex does not start here, so that it could run no command: ${words}` })
  return endOf(result)
}
