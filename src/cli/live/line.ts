import type { EventType, RunEvent } from '../../core/event.ts'
import { duration, spent } from '../figures.ts'
import type { Io } from '../io.ts'
import { fit, oneLine } from '../text.ts'
import { mark } from './frame.ts'

type Painter = Pick<Io, 'paint'>

/** An event as one line for people: time, mark, what happened. '' for events that say nothing to a person. */
export function eventLine(io: Painter, event: RunEvent, prefix = ''): string {
  const text = SENTENCES[event.type](tell(io, event))
  if (text === '') return ''
  const time = io.paint('dim', new Date(event.ts).toTimeString().slice(0, 8))
  return `${time} ${prefix === '' ? '' : `${io.paint('dim', prefix)} `}${text}`
}

// One event is one line: what is longer belongs to `reeve show` or `--json`.
const TEXT = 200
const PASSED = 60

/** An event with the ways to say parts of it. */
interface Teller {
  io: Painter
  data: RunEvent['data']
  /** A field as harmless text, '' where there is none. */
  get(key: string): string
  /** `: text` of a field, or nothing. */
  because(key: string): string
  /** A line that begins with the mark of a state. */
  marked(status: Parameters<typeof mark>[1], text: string): string
}

function tell(io: Painter, { data }: RunEvent): Teller {
  const get = (key: string): string => {
    const value = data[key]
    return typeof value === 'string' ? fit(oneLine(value), TEXT) : typeof value === 'number' ? String(value) : ''
  }
  return {
    io,
    data,
    get,
    because: (key) => (get(key) === '' ? '' : `: ${get(key)}`),
    marked: (status, text) => `${mark(io, status)} ${text}`,
  }
}

/** Lines without a mark keep the column of the marks free. */
function plain(text: string): string {
  return `  ${text}`
}

const SENTENCES: Record<EventType, (it: Teller) => string> = {
  'run.queued': (it) => plain(`queued: task ${it.get('task')}, workflow ${it.get('workflow')}`),
  'run.prioritized': (it) => plain(`priority ${it.get('priority')} instead of ${it.get('before')}, by ${it.get('actor')}`),
  'run.started': () => plain('started'),
  'run.waiting': (it) => it.marked('waiting', `waits (${it.get('reason')})${it.because('message')}`),
  'run.woken': (it) => plain(`woken by ${it.get('by')}`),
  'run.interrupted': (it) => it.marked('interrupted', `interrupted${it.because('message')}`),
  'run.detached': (it) => it.marked('interrupted', it.get('message') || 'detached'),
  'run.paused': (it) => plain(`pause asked by ${it.get('actor')}`),
  'run.resumed': (it) => plain(`resumed by ${it.get('actor')}`),
  'isolation.accepted': (it) =>
    it.marked('warning', `isolation ${it.get('level')} instead of ${it.get('needed')} accepted by ${it.get('actor')}`),
  'network.reached': (it) => plain(`network: ${it.get('target')} was reached`),
  'network.refused': (it) => it.marked('warning', `network: ${it.get('message') || it.get('target')}`),
  'isolation.measured': (it) => plain(`isolation ${it.get('level')}${inBrackets(it.get('by'))}`),
  'run.finished': (it) => it.marked(finishMark(it), `${it.get('status')}${inBrackets(it.get('reason'))}${it.because('message')}`),
  'run.landed': (it) =>
    it.marked('succeeded', `landed on ${it.get('branch')} (${it.get('how')})${it.data['forced'] === true ? ', by force' : ''}`),
  'plan.made': (it) => plain(`plan: ${planParts(it)}${it.because('summary')}`),
  'step.started': (it) => plain(`${it.get('step')}${who(it)}`),
  'step.finished': (it) => it.marked(stepMark(it), `${it.get('step')}${it.because('summary')}${figures(it)}`),
  'step.failed': (it) => it.marked('failed', `${it.get('step')}${it.because('problem')}${figures(it)}`),
  'agent.started': (it) => plain(`${it.get('program') || it.get('provider')}${inBrackets(it.get('version'))} has begun`),
  'agent.noticed': (it) => (it.get('level') === 'warning' ? it.marked('warning', it.get('text')) : plain(it.get('text'))),
  'usage.reported': () => '',
  'budget.reached': (it) => it.marked('warning', `the budget of ${it.get('limit')} is reached: ${it.get('spent')} of ${it.get('allowed')}`),
  'agent.said': (it) => plain(it.io.paint('italic', `"${it.get('text')}"`)),
  'agent.acted': (it) => {
    const text = `${it.get('tool')} ${it.get('target')}`
    return it.data['ok'] === false ? it.marked('failed', `${text}${it.because('summary')}`) : plain(text)
  },
  'limit.broken': (it) =>
    it.marked(
      'failed',
      `limit of ${it.get('allowed')} ${it.get('unit')} for ${it.get('limit')} broken by ${it.get('command')}: ${it.get('peak')} ${it.get('unit')}`,
    ),
  'provider.chosen': (it) => plain(`${it.get('provider')}${inBrackets(it.get('model'))}${it.because('reason')}${passedOver(it)}`),
  'provider.limited': (it) => it.marked('warning', `${it.get('provider')} ${it.get('class')}${untilWhen(it)}${it.because('problem')}`),
  'provider.failed': (it) => it.marked('warning', `${it.get('provider')} ${it.get('class')}${it.because('problem')}`),
  'gate.started': (it) => plain(`gate ${it.get('gate')}${where(it)}${it.because('command')}`),
  'gate.finished': (it) =>
    it.marked(
      where(it) === '' ? gateMark(it.get('status')) : 'queued',
      `gate ${it.get('gate')}${where(it)} ${it.get('status').replace('_', ' ')}${introduced(it)}`,
    ),
  'verdict.reached': (it) => it.marked(gateMark(it.get('status')), `verdict${it.because('summary')}`),
  'proof.finished': (it) =>
    it.marked(proofMark(it.get('status')), `red proof ${it.get('status').replace('_', ' ')}${it.because('summary')}`),
  'checkpoint.made': (it) => plain(`checkpoint ${it.get('commit').slice(0, 10)}${it.because('message')}`),
  'files.changed': (it) => plain(`files: ${filesChanged(it)}`),
  'attempt.kept': (it) => plain(`attempt ${it.get('number')} kept in ${it.get('ref')}`),
  'attempt.rejected': (it) => it.marked('failed', `attempt rejected${it.because('summary')}`),
  'approval.asked': (it) => it.marked('waiting', `asks (${it.get('what')})${it.because('message')}`),
  'approval.given': (it) => it.marked('succeeded', `approved by ${it.get('actor')}${it.because('comment')}`),
  'approval.refused': (it) => it.marked('failed', `refused by ${it.get('actor')}${it.because('comment')}`),
  'message.sent': (it) => plain(`${it.get('actor')} says${it.because('text')}`),
  'budget.reserved': () => '',
  'evidence.written': (it) => plain(`evidence in ${it.get('path')}`),
}

function filesChanged({ data }: Teller): string {
  const parts = ['added', 'modified', 'deleted'].flatMap((how) => {
    const paths = data[how]
    return Array.isArray(paths) && paths.length > 0 ? [`${paths.length} ${how}`] : []
  })
  return [...parts, ...(typeof data['more'] === 'number' ? [`${data['more']} more`] : [])].join(', ')
}

function planParts({ data }: Teller): string {
  const count = Array.isArray(data['parts']) ? data['parts'].length : 0
  return `${count} ${count === 1 ? 'part' : 'parts'}`
}

/** Who would have come before, and why it did not. Each has been told at length when it failed. */
function passedOver({ data }: Teller): string {
  const passed = Array.isArray(data['passed']) ? (data['passed'] as { provider?: unknown; why?: unknown }[]) : []
  return passed.map(({ provider, why }) => `; ${fit(oneLine(`${String(provider)} ${String(why)}`), PASSED)}`).join('')
}

function untilWhen({ data }: Teller): string {
  const { retryAt } = data
  return typeof retryAt === 'number' ? ` until ${new Date(retryAt).toTimeString().slice(0, 8)}` : ''
}

function inBrackets(text: string): string {
  return text === '' ? '' : ` (${text})`
}

function who(it: Teller): string {
  const words = [it.get('role'), it.get('provider')].filter((word) => word !== '')
  return words.length > 0 ? `: ${words.join(' by ')}` : ''
}

/** Beside the change: a test that fails on the base or in the proof is no failure of the run. */
function where(it: Teller): string {
  const place = it.get('where')
  return place === 'base' || place === 'proof' ? ` (${place})` : ''
}

function introduced({ data }: Teller): string {
  const { introduced: count, total } = data
  if (typeof count !== 'number' || count === 0) return ''
  return `: ${count} introduced${typeof total === 'number' ? ` of ${total} findings` : ''}`
}

function finishMark(it: Teller): 'succeeded' | 'failed' | 'cancelled' {
  const status = it.get('status')
  return status === 'succeeded' || status === 'cancelled' ? status : 'failed'
}

function stepMark(it: Teller): 'succeeded' | 'failed' {
  return it.get('status') === 'failed' ? 'failed' : 'succeeded'
}

function gateMark(status: string): 'passed' | 'failed' | 'warning' | 'not_run' {
  return status === 'passed' || status === 'failed' || status === 'warning' ? status : 'not_run'
}

function proofMark(status: string): 'passed' | 'failed' | 'not_run' {
  return status === 'proved' ? 'passed' : status === 'refuted' ? 'failed' : 'not_run'
}

function figures(it: Teller): string {
  const { durationMs, usage, cost } = it.data
  const used = usage as { inputTokens: number; outputTokens: number; cachedInputTokens: number; requests: number } | undefined
  const parts = [
    ...(typeof durationMs === 'number' ? [duration(durationMs)] : []),
    ...(used && used.requests > 0 ? [spent(used, typeof cost === 'number' ? cost : null)] : []),
  ]
  return parts.length === 0 ? '' : it.io.paint('dim', `  (${parts.join(', ')})`)
}
