import type { RunStatus } from '../../core/run.ts'
import type { RunSummary } from '../../operations/shapes.ts'
import type { CommandRun } from '../command-spec.ts'
import { ago, duration } from '../figures.ts'
import { answer, type Io } from '../io.ts'
import { mark } from '../live/frame.ts'
import { oneLine, table } from '../text.ts'

export const ls: CommandRun = async (io, _args, options) => {
  const { runs } = await (await io.client()).call('runs.list', {
    all: options['all'] === true,
    status: (options['status'] as RunStatus[] | undefined) ?? [],
    ...(options['limit'] === undefined ? {} : { limit: options['limit'] as number }),
  })
  const none = options['status'] === undefined ? 'No runs yet. Begin with: reeve run "..."' : 'No run has this status.'
  answer(io, runs, () => (runs.length === 0 ? [none] : lines(io, runs)))
  return 0
}

function lines(io: Io, runs: readonly RunSummary[]): string[] {
  const rows = runs.map((it) => [
    it.id,
    stateOf(it, io.now()),
    oneLine(it.task.title),
    it.task.role,
    timeOf(io, it),
    ago(it.createdAt, io.now()),
  ])
  const [head = '', ...body] = table([['RUN', 'STATE', 'TITLE', 'ROLE', 'TIME', 'CREATED'], ...rows], io.columns() - 2, 2)
  return [io.paint('dim', `  ${head}`), ...body.map((line, at) => `${mark(io, runs[at]?.status ?? 'queued')} ${line}`)]
}

function stateOf(run: RunSummary, now: number): string {
  if (run.landed) return 'landed'
  if (run.status === 'running' && run.progress) return `running ${run.progress.percent} %`
  if (run.status === 'queued' && (run.notBefore ?? 0) > now)
    return `queued (${new Date(run.notBefore ?? 0).toLocaleString('sv').slice(0, 16)})`
  return run.reason === null ? run.status : `${run.status} (${run.reason})`
}

function timeOf(io: Io, run: RunSummary): string {
  if (run.startedAt === null) return '-'
  return run.finishedAt === null && run.status !== 'running' ? '-' : duration((run.finishedAt ?? io.now()) - run.startedAt)
}
