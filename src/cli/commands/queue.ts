import type { QueuePlace } from '../../operations/queue-list.ts'
import type { CommandRun, Options } from '../command-spec.ts'
import { duration } from '../figures.ts'
import { answer, type Io, remark } from '../io.ts'
import { fit, oneLine, table, width } from '../text.ts'

interface Pause {
  scope: string
  mode: 'paused' | 'draining'
  actor: string
  since: number
}

const scopeOf = (options: Options) => ({ all: options['all'] === true })

export const queueLs: CommandRun = async (io, _args, options) => {
  const found = await (await io.client()).call('queue.list', {
    ...scopeOf(options),
    ...(options['limit'] === undefined ? {} : { limit: options['limit'] as number }),
  })
  answer(io, found, () => {
    const head = `${found.queued} queued, ${found.atWork} at work (at most ${found.maxConcurrent} of all projects)`
    const rest = found.queued - found.runs.length
    return [
      head,
      ...pauseLines(io, found.pauses),
      ...(found.runs.length === 0 ? [] : lines(io, found.runs)),
      ...(rest === 0 ? [] : [io.paint('dim', `and ${rest} more: reeve queue --limit ${Math.min(1000, found.queued)}`)]),
    ]
  })
  return 0
}

function pauseLines(io: Io, pauses: readonly Pause[]): string[] {
  return pauses.map((it) => {
    const how = it.mode === 'draining' ? 'draining' : 'paused'
    const resume = it.scope === '*' ? 'reeve queue resume --all' : 'reeve queue resume'
    return io.paint(
      'yellow',
      `${placeOf(it.scope)}: ${how} by ${oneLine(it.actor)} for ${duration(io.now() - it.since)}; go on with: ${resume}`,
    )
  })
}

function placeOf(scope: string): string {
  return scope === '*' ? 'all projects' : oneLine(scope)
}

const TITLE = 40

function lines(io: Io, runs: readonly QueuePlace[]): string[] {
  const rows = [
    ['#', 'RUN', 'PRIORITY', 'TITLE', 'STARTS', 'WHY IT WAITS'],
    ...runs.map((it) => [
      it.position === null ? '-' : String(it.position),
      it.run,
      String(it.priority),
      fit(oneLine(it.task.title), TITLE),
      startOf(io, it),
      oneLine(it.reason ?? 'begins next'),
    ]),
  ]
  // The reason is what people look here for: cut on a terminal alone, and titles before it.
  const whole = io.tty ? io.columns() : Number.POSITIVE_INFINITY
  const before = 2 * 5 + [0, 1, 2, 3, 4].reduce((sum, at) => sum + Math.max(...rows.map((row) => width(row[at] ?? ''))), 0)
  const [head = '', ...body] = table(
    rows.map((row) => row.with(5, fit(row[5] ?? '', Math.max(24, whole - before)))),
    whole,
    3,
  )
  return [io.paint('dim', head), ...body]
}

function startOf(io: Io, it: QueuePlace): string {
  if (it.reason === null) return 'now'
  if (it.startsAt === null) return '?'
  const ms = it.startsAt - io.now()
  return ms < 1000 ? 'now' : `in ${it.position === null ? '' : '~'}${duration(ms)}`
}

export const queuePause: CommandRun = async (io, _args, options) => {
  const found = await (await io.client()).call('queue.pause', scopeOf(options))
  answer(io, found, () => [
    ...pauseLines(io, found.pauses),
    found.atWork.length === 0 ? 'None is at work.' : `${found.atWork.length} at work; they go on.`,
  ])
  return 0
}

export const queueResume: CommandRun = async (io, _args, options) => {
  const found = await (await io.client()).call('queue.resume', scopeOf(options))
  answer(io, found, () => (found.pauses.length === 0 ? ['Queued runs begin again.'] : pauseLines(io, found.pauses)))
  return 0
}

// One request of many minutes would look like one that hangs.
const LOOK_SECONDS = 5

export const queueDrain: CommandRun = async (io, _args, options) => {
  const minutes = (options['timeout'] as number | undefined) ?? 60
  const until = io.now() + minutes * 60_000
  const client = await io.client()
  let told = -1
  for (;;) {
    const wait_seconds = Math.max(0, Math.min(LOOK_SECONDS, (until - io.now()) / 1000))
    const found = await client.call('queue.drain', { ...scopeOf(options), wait_seconds })
    const over = found.drained || io.now() >= until
    if (!over && !io.json && found.atWork.length !== told) remark(io, `${found.atWork.length} at work ...`)
    told = found.atWork.length
    if (!over) continue
    answer(io, found, () => [
      found.drained ? 'Nothing is at work any more.' : `${found.atWork.length} still at work after ${minutes} minutes.`,
      ...pauseLines(io, found.pauses),
    ])
    return found.drained ? 0 : 1
  }
}

export const priority: CommandRun = async (io, args) => {
  const { run } = await (await io.client()).call('runs.prioritize', { run: args[0] ?? '', priority: wholeOf(args[1] ?? '') })
  answer(io, run, () => [`${run.id} has priority ${run.priority} now (${run.status}).`])
  return 0
}

/** Not a number: the operation says what is allowed. */
function wholeOf(text: string): number {
  return /^-?\d+$/.test(text) ? Number(text) : Number.NaN
}
