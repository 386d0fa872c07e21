import type { RunView } from '../../core/run.ts'
import type { Io } from '../io.ts'
import { mark } from '../live/frame.ts'
import { oneLine } from '../text.ts'

/** What a person can do next with a run, as command lines. */
export function nextSteps(run: RunView): string[] {
  const { id } = run
  switch (run.status) {
    case 'succeeded':
      return run.steps.some((it) => it.kind === 'land' && it.status === 'succeeded')
        ? [`reeve diff ${id}`]
        : [`reeve diff ${id}`, `reeve land ${id}`]
    case 'failed':
      return [...afterFailure(run), `reeve retry ${id}`]
    case 'cancelled':
      return [`reeve rescue ${id}`, `reeve retry ${id}`]
    case 'waiting':
      return run.reason === 'approval'
        ? [`reeve diff ${id}`, `reeve approve ${id}`, `reeve reject ${id} --reason "..."`]
        : [`reeve resume ${id}`]
    case 'running':
      return [`reeve logs -f ${id}`, `reeve stop ${id}`]
    default:
      return [`reeve resume ${id}`]
  }
}

function afterFailure({ id, reason }: RunView): string[] {
  if (reason === 'gates') return [`reeve diff ${id}`, `reeve rescue ${id}`]
  return reason === 'budget' ? [`reeve rescue ${id}`, `reeve cost --run ${id}`] : [`reeve explain ${id}`]
}

/** The end of a run in a few lines: how, why, where it is, what to do next. */
export function closing(io: Pick<Io, 'paint'>, run: RunView): string[] {
  const reason = run.reason === null ? '' : ` (${run.reason})`
  const message = run.message ?? run.verdict?.summary ?? ''
  const place =
    run.commit === null || run.branch === ''
      ? []
      : [`  branch ${oneLine(run.branch)} at ${run.commit.slice(0, 10)}, isolation ${run.isolation}`]
  return [
    `${mark(io, run.status)} ${run.id} ${io.paint('bold', run.status)}${reason}${message === '' ? '' : `: ${oneLine(message)}`}`,
    ...place,
    `  ${io.paint('dim', 'next:')} ${nextSteps(run).join('   ')}`,
  ]
}
