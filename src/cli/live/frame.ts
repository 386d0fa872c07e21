import { duration, spent } from '../figures.ts'
import type { Io } from '../io.ts'
import { fit, oneLine, pad, width } from '../text.ts'
import type { LiveGate, LiveRun, LiveStep } from './state.ts'

type Look = Pick<Io, 'paint'> & { columns: number; rows: number; now: number }

const MARKS = {
  queued: ['·', 'dim'],
  running: ['◐', 'cyan'],
  waiting: ['◌', 'yellow'],
  succeeded: ['✔', 'green'],
  passed: ['✔', 'green'],
  failed: ['✖', 'red'],
  warning: ['!', 'yellow'],
  not_run: ['–', 'dim'],
  interrupted: ['↯', 'yellow'],
  cancelled: ['✖', 'yellow'],
} as const

/** The mark of a state, painted. */
export function mark(io: Pick<Io, 'paint'>, status: keyof typeof MARKS): string {
  const [sign, style] = MARKS[status]
  return io.paint(style, sign)
}

/**
 * The runs as lines that fit the terminal: everything of each; where there is no room, the head of each and what those at work do now; then
 * only heads, those at work first, and a tally. Pure.
 */
export function frame(runs: readonly LiveRun[], look: Look): string[] {
  const room = Math.max(3, look.rows - 1)
  const whole = runs.flatMap((it) => runLines(it, look))
  if (whole.length <= room) return whole
  const [only] = runs
  if (runs.length === 1 && only) return shortened(only, look, room)
  const brief = runs.flatMap((it) => briefLines(it, look))
  if (brief.length <= room) return brief
  const busy = runs.toSorted((a, b) => rankOf(a) - rankOf(b)).slice(0, room - 1)
  return [...busy.map((it) => headLine(it, look)), look.paint('dim', fit(tally(runs), look.columns))]
}

const RANKS: readonly LiveRun['status'][] = ['running', 'waiting', 'queued', 'failed', 'cancelled', 'succeeded']

function rankOf(run: LiveRun): number {
  return RANKS.indexOf(run.status)
}

/** `12 runs: 2 running, 3 queued, 7 succeeded`. */
function tally(runs: readonly LiveRun[]): string {
  const counts = RANKS.flatMap((status) => {
    const many = runs.filter((it) => it.status === status).length
    return many > 0 ? [`${many} ${status}`] : []
  })
  return `${runs.length} runs: ${counts.join(', ')}`
}

/** Head and foot stay, the oldest steps go. */
function shortened(run: LiveRun, look: Look, room: number): string[] {
  const lines = runLines(run, look)
  const [head = ''] = lines
  const kept = lines.slice(lines.length - (room - 2))
  const gone = lines.length - kept.length - 1
  return [head, look.paint('dim', `  … ${gone} steps before`), ...kept]
}

function runLines(run: LiveRun, look: Look): string[] {
  return [
    headLine(run, look),
    ...run.steps.map((it) => stepLine(it, look)),
    ...[gateLine(run.gates, look)].filter((it) => it !== ''),
    ...messageLines(run, look),
    look.paint('dim', `  ${fit(footOf(run), look.columns - 2)}`),
  ]
}

/** What is over needs no more than its head. */
function briefLines(run: LiveRun, look: Look): string[] {
  if (run.status !== 'running') return [headLine(run, look), ...(run.status === 'waiting' ? messageLines(run, look) : [])]
  return [headLine(run, look), ...run.steps.slice(-1).map((it) => stepLine(it, look))]
}

function messageLines(run: LiveRun, look: Look): string[] {
  return run.message === '' ? [] : [look.paint('dim', `  ${fit(oneLine(run.message), look.columns - 2)}`)]
}

const TITLE = 10 // what is seen of one at least

function headLine(run: LiveRun, look: Look): string {
  const time = run.startedAt === null ? '' : duration((run.finishedAt ?? look.now) - run.startedAt)
  const facts = [run.workflow, run.isolation, time].filter((it) => it !== '')
  const left = (from: number): number => look.columns - width(facts.slice(from).join(' · ')) - run.id.length - 5
  // A line that is too long would wrap, and then the next drawing does not meet it.
  const from = facts.findIndex((_, at) => left(at) >= TITLE)
  const about = from === -1 ? '' : facts.slice(from).join(' · ')
  const room = from === -1 ? Math.max(0, look.columns - run.id.length - 4) : left(from)
  return `${mark(look, run.status)} ${look.paint('dim', run.id)} ${look.paint('bold', pad(oneLine(run.title), room))} ${look.paint('dim', about)}`
}

const NAME = 30 // `part-1/attempt-2/implement`

function stepLine(step: LiveStep, look: Look): string {
  const time = duration((step.finishedAt ?? look.now) - step.startedAt)
  const who = oneLine([step.role, step.provider].filter((it) => it !== '').join(' · '))
  const text = [who, oneLine(step.doing)].filter((it) => it !== '').join('  ')
  const name = pad(oneLine(step.name), Math.min(NAME, Math.max(12, look.columns - 30)))
  const room = Math.max(0, look.columns - name.length - time.length - 7)
  return `  ${mark(look, step.status)} ${name} ${look.paint('dim', pad(text, room))} ${time}`
}

/** Of the base and the proof only what is at work now: a test that fails there is as it should be. */
function gateLine(gates: readonly LiveGate[], look: Look): string {
  let room = look.columns - 4
  const words = gates.flatMap((it) => {
    if (it.where !== 'change' && it.status !== 'running') return []
    const where = it.where === 'change' ? '' : ` (${oneLine(it.where)})`
    const count = it.introduced > 0 ? ` ${it.introduced}` : ''
    room -= width(`${oneLine(it.name)} *${count}${where}  `)
    return room < -2 ? [] : [`${oneLine(it.name)} ${mark(look, it.status)}${count}${look.paint('dim', where)}`]
  })
  return words.length > 0 ? `    ${words.join('  ')}` : ''
}

function footOf(run: LiveRun): string {
  const tries = run.attempts > 0 ? [`attempt ${run.attempts}`] : []
  return [...tries, spent(run.usage, run.cost)].join(' · ')
}
