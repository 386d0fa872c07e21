import { duration, spent } from '../figures.ts'
import type { Io } from '../io.ts'
import { fit, oneLine, pad } from '../text.ts'
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
 * The runs as lines that fit the terminal: everything of one run; of several, or where there is no room, the head of each and what it does
 * now. Pure.
 */
export function frame(runs: readonly LiveRun[], look: Look): string[] {
  const room = Math.max(3, look.rows - 1)
  const whole = runs.flatMap((it) => runLines(it, look, true))
  if (whole.length <= room) return whole
  const [only] = runs
  if (runs.length === 1 && only) return shortened(only, look, room)
  const brief = runs.flatMap((it) => runLines(it, look, false))
  return brief.length <= room ? brief : [...brief.slice(0, room - 1), look.paint('dim', `… ${runs.length} runs in all`)]
}

/** Head and foot stay, the oldest steps go. */
function shortened(run: LiveRun, look: Look, room: number): string[] {
  const lines = runLines(run, look, true)
  const [head = ''] = lines
  const kept = lines.slice(lines.length - (room - 2))
  const gone = lines.length - kept.length - 1
  return [head, look.paint('dim', `  … ${gone} steps before`), ...kept]
}

function runLines(run: LiveRun, look: Look, whole: boolean): string[] {
  const steps = whole ? run.steps : run.steps.slice(-1)
  return [
    headLine(run, look),
    ...steps.map((it) => stepLine(it, look)),
    ...[gateLine(run.gates, look)].filter((it) => it !== ''),
    ...(run.message === '' ? [] : [look.paint('dim', `  ${fit(oneLine(run.message), look.columns - 2)}`)]),
    ...(whole ? [look.paint('dim', `  ${fit(footOf(run), look.columns - 2)}`)] : []),
  ]
}

function headLine(run: LiveRun, look: Look): string {
  const time = run.startedAt === null ? '' : duration((run.finishedAt ?? look.now) - run.startedAt)
  const about = [run.workflow, run.isolation, time].filter((it) => it !== '').join(' · ')
  const room = Math.max(10, look.columns - about.length - run.id.length - 5)
  return `${mark(look, run.status)} ${look.paint('dim', run.id)} ${look.paint('bold', pad(oneLine(run.title), room))} ${look.paint('dim', about)}`
}

const NAME = 30 // `part-1/attempt-2/implement`

function stepLine(step: LiveStep, look: Look): string {
  const time = duration((step.finishedAt ?? look.now) - step.startedAt)
  const who = [step.role, step.provider].filter((it) => it !== '').join(' · ')
  const text = [who, oneLine(step.doing)].filter((it) => it !== '').join('  ')
  const name = pad(oneLine(step.name), Math.min(NAME, Math.max(12, look.columns - 30)))
  const room = Math.max(0, look.columns - name.length - time.length - 7)
  return `  ${mark(look, step.status)} ${name} ${look.paint('dim', pad(text, room))} ${time}`
}

/** Of the base and the proof only what is at work now: a test that fails there is as it should be. */
function gateLine(gates: readonly LiveGate[], look: Look): string {
  const words = gates.flatMap((it) => {
    if (it.where !== 'change' && it.status !== 'running') return []
    const where = it.where === 'change' ? '' : look.paint('dim', ` (${oneLine(it.where)})`)
    const count = it.introduced > 0 ? ` ${it.introduced}` : ''
    return [`${oneLine(it.name)} ${mark(look, it.status)}${count}${where}`]
  })
  return words.length > 0 ? `    ${words.join('  ')}` : ''
}

function footOf(run: LiveRun): string {
  const tries = run.attempts > 0 ? [`attempt ${run.attempts}`] : []
  return [...tries, spent(run.usage, run.cost)].join(' · ')
}
