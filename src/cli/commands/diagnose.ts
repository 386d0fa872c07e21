import type { OutputOf } from '../../client/client.ts'
import type { CommandRun } from '../command-spec.ts'
import { answer, type Io } from '../io.ts'
import { mark } from '../live/frame.ts'
import { oneLine, width } from '../text.ts'

type Diagnosis = OutputOf<'runs.diagnose'>

export const diagnose: CommandRun = async (io, args) => {
  const found = await (await io.client()).call('runs.diagnose', { run: args[0] ?? '' })
  answer(io, found, () => page(io, found))
  return 0
}

function page(io: Io, it: Diagnosis): string[] {
  const reason = it.reason === null ? '' : ` (${it.reason})`
  const more = it.findings.slice(1)
  return [
    `${mark(io, it.status)} ${it.run} ${io.paint('bold', it.status)}${reason}`,
    `  ${io.paint('bold', oneLine(it.headline))}${evidence(io, it.findings[0])}`,
    ...more.map((finding) => `  ${oneLine(finding.text)}${evidence(io, finding)}`),
    ...(it.dependencies.length > 0 ? ['', io.paint('bold', 'Depends on'), ...it.dependencies.map((on) => dependencyLine(io, on))] : []),
    ...(it.next.length > 0 ? ['', io.paint('bold', 'Next'), ...nextLines(io, it.next)] : []),
  ]
}

/** The numbers of the events that show it, as `reeve logs` prints them. */
function evidence(io: Io, finding: Diagnosis['findings'][number] | undefined): string {
  const events = finding?.events ?? []
  return events.length === 0 ? '' : io.paint('dim', ` [${events.length === 1 ? 'event' : 'events'} ${events.join(', ')}]`)
}

function dependencyLine(io: Io, { run, task, status, reason, depth }: Diagnosis['dependencies'][number]): string {
  return `${'  '.repeat(Math.min(depth, 8))}${mark(io, status)} ${oneLine(task)} ${io.paint('dim', run)} ${status}${reason === null ? '' : ` (${reason})`}`
}

function nextLines(io: Io, next: Diagnosis['next']): string[] {
  const columns = Math.max(...next.map((it) => width(it.command)))
  return next.map((it) => `  ${it.command}${' '.repeat(columns - width(it.command))}  ${io.paint('dim', it.why)}`)
}
