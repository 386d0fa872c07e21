import type { RunSummary } from '../../operations/shapes.ts'
import type { CommandRun, Options } from '../command-spec.ts'
import { answer, type Io } from '../io.ts'
import { workOn } from './work.ts'

export const stop: CommandRun = async (io, args) => {
  const { run } = await (await io.client()).call('runs.cancel', { run: args[0] ?? '' })
  const kept = run.startedAt === null ? 'It had not begun.' : `What it has written is kept: reeve rescue ${run.id}`
  answer(io, run, () => [`${run.id} is stopped.`, io.paint('dim', kept)])
  return 0
}

export const pause: CommandRun = async (io, args) => {
  const { run } = await (await io.client()).call('runs.pause', { run: args[0] ?? '' })
  answer(io, run, () => [`${run.id} is held before its next step.`, io.paint('dim', `Once it is held, go on with: reeve resume ${run.id}`)])
  return 0
}

export const send: CommandRun = async (io, args) => {
  const [id = '', ...words] = args
  const { run } = await (await io.client()).call('runs.send', { run: id, text: words.join(' ') })
  answer(io, run, () => [`${run.id} gets it with its next agent.`])
  return 0
}

export const approve: CommandRun = async (io, args, options) => {
  const comment = options['comment'] as string | undefined
  const { run } = await (await io.client()).call('runs.approve', { run: args[0] ?? '', ...(comment === undefined ? {} : { comment }) })
  return goOn(io, run, options, 'Your yes is noted.')
}

export const reject: CommandRun = async (io, args, options) => {
  const comment = options['reason'] as string | undefined
  const { run } = await (await io.client()).call('runs.reject', { run: args[0] ?? '', ...(comment === undefined ? {} : { comment }) })
  return goOn(io, run, options, 'Your no is noted.')
}

/** A decision goes on with the run, unless another process is at work on it or the person wants only the decision. */
async function goOn(io: Io, run: RunSummary, options: Options, said: string): Promise<number> {
  const { resident } = await io.client()
  if (options['wait'] !== false && (run.status === 'queued' || (resident && run.status === 'running')))
    return workOn(io, [{ id: run.id, title: run.task.title, workflow: run.workflow }])
  answer(io, run, () => [
    said,
    io.paint('dim', resident || run.status === 'running' ? `Watch it with: reeve logs -f ${run.id}` : `Go on with: reeve resume ${run.id}`),
  ])
  return 0
}
