import type { RunView, StepView } from '../../core/run.ts'
import type { CommandRun } from '../command-spec.ts'
import { ago, duration, spent } from '../figures.ts'
import { answer, type Io } from '../io.ts'
import { mark } from '../live/frame.ts'
import { fit, oneLine, pad, safe, width } from '../text.ts'
import { nextSteps } from './closing.ts'
import { verdictLines } from './verdict-lines.ts'

export const show: CommandRun = async (io, args) => {
  const run = await (await io.client()).call('runs.get', { run: args[0] ?? '' })
  answer(io, run, () => page(io, run))
  return 0
}

function page(io: Io, run: RunView): string[] {
  return [
    ...headLines(io, run),
    ...(run.steps.length > 0 ? ['', io.paint('bold', 'Steps'), ...run.steps.map((it) => stepLine(io, it))] : []),
    ...(run.verdict ? ['', ...verdictLines(io, run.verdict)] : []),
    '',
    io.paint('bold', 'Places'),
    ...placeLines(run),
    '',
    io.paint('bold', 'Next'),
    ...nextSteps(run).map((it) => `  ${it}`),
  ]
}

function headLines(io: Io, run: RunView): string[] {
  const reason = run.reason === null ? '' : ` (${run.reason})`
  const time = run.startedAt === null ? [] : [duration((run.finishedAt ?? io.now()) - run.startedAt)]
  const tries = run.attempts > 0 ? [`${run.attempts} ${run.attempts === 1 ? 'attempt' : 'attempts'}`] : []
  const way = run.finishedAt === null ? [...timeLines(run, io.now()), progressLine(run)] : []
  const facts = [`workflow ${run.workflow}`, ...tries, ...time, spent(run.usage, run.cost, knownOf(run)), `isolation ${run.isolation}`]
  return [
    `${mark(io, run.status)} ${io.paint('bold', oneLine(run.task.title))} ${io.paint('dim', run.id)}`,
    `  ${run.status}${reason}${run.message === null ? '' : `: ${safe(run.message).split('\n').join('\n  ')}`}`,
    io.paint('dim', `  ${facts.join(' · ')} · created ${ago(run.createdAt, io.now())}`),
    ...way.map((it) => `  ${it}`),
    io.paint('dim', `  task ${run.task.id} · ${run.task.kind} · role ${run.task.role}`),
  ]
}

/** What decides when it begins, where that is not "now". */
function timeLines({ status, notBefore, priority }: RunView, now: number): string[] {
  const rank = priority === 0 ? [] : [`priority ${priority}`]
  if (status !== 'queued') return rank
  const time = notBefore === null || notBefore <= now ? [] : [`not before ${new Date(notBefore).toLocaleString('sv')}`]
  return [[...rank, ...time, 'why it waits: reeve queue'].join(' · ')]
}

/** `57 % · implementing · about 2m left (median of 12 runs of build in this project)`. */
function progressLine({ progress }: RunView): string {
  const { percent, stage, remainingMs, basis } = progress
  const left = remainingMs === null ? `no estimate: ${basis}` : `about ${duration(remainingMs)} left (${basis})`
  return `${percent} % · ${stage} · ${left}`
}

/** What the steps with a known cost come to. */
function knownOf({ steps }: RunView): number {
  return steps.reduce((sum, it) => sum + (it.cost ?? 0), 0)
}

function stepLine(io: Io, step: StepView): string {
  const who = [step.role, step.provider].filter((it) => it !== null).join(' · ')
  const time = duration((step.finishedAt ?? io.now()) - step.startedAt)
  const used = step.usage.requests > 0 ? `, ${spent(step.usage, step.cost)}` : ''
  const about = [who, oneLine(step.summary ?? '')].filter((it) => it !== '').join('  ')
  // The summary says more than the figures, where there is no room for both.
  const tail = io.columns() - 36 - width(used) < 40 ? ` ${time}` : ` ${time}${used}`
  return `  ${mark(io, step.status)} ${pad(oneLine(step.name), 30)} ${fit(about, Math.max(10, io.columns() - 36 - tail.length))}${io.paint('dim', tail)}`
}

function placeLines(run: RunView): string[] {
  const all: [string, string | null][] = [
    ['project', run.paths.project],
    ['base', run.base === '' ? null : run.base.slice(0, 12)],
    ['branch', run.branch === '' ? null : `${run.branch}${run.commit === null ? '' : ` at ${run.commit.slice(0, 12)}`}`],
    ['workspace', run.paths.workspace],
    ['evidence', run.paths.evidence],
    ['log', run.paths.log],
  ]
  return all.flatMap(([name, value]) => (value === null || value === '' ? [] : [`  ${pad(name, 10)} ${oneLine(value)}`]))
}
