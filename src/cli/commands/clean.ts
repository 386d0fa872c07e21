import type { CommandRun } from '../command-spec.ts'
import { answer, remark } from '../io.ts'
import { oneLine } from '../text.ts'

export const clean: CommandRun = async (io, args, options) => {
  const [run] = args
  const done = await (await io.client()).call('runs.clean', { all: options['all'] === true, ...(run === undefined ? {} : { run }) })
  for (const it of done.failed) remark(io, `${io.paint('red', 'not cleaned:')} ${it.run}: ${oneLine(it.problem)}`)
  answer(io, done, () => {
    if (done.cleaned.length === 0) return done.failed.length > 0 ? [] : ['There was nothing to clean.']
    return [
      `Cleaned ${done.cleaned.length} ${done.cleaned.length === 1 ? 'run' : 'runs'}. What they wrote stays in git: reeve rescue <run>`,
    ]
  })
  return done.failed.length > 0 ? 3 : 0
}
