import { ERRORS } from '../../core/errors.ts'
import type { CommandRun } from '../command-spec.ts'
import { answer, type Io } from '../io.ts'
import { eventLine } from '../live/line.ts'

/** Error codes have underscores or are plain words of the table; runs are found in the store. */
export const explain: CommandRun = async (io, args) => {
  const [what = ''] = args
  return Object.hasOwn(ERRORS, what) || what.includes('_') ? explainCode(io, what) : explainRun(io, what)
}

async function explainCode(io: Io, code: string): Promise<number> {
  const entry = await (await io.client()).call('errors.explain', { code })
  answer(io, entry, () => [
    `${io.paint('bold', entry.code)} (exit code ${entry.exit})`,
    `  ${entry.message}`,
    ...(entry.hint === null ? [] : [`  ${entry.hint}`]),
  ])
  return 0
}

async function explainRun(io: Io, run: string): Promise<number> {
  const { decisions } = await (await io.client()).call('runs.explain', { run })
  answer(io, decisions, () => {
    const lines = decisions.map((it) => eventLine(io, it)).filter((it) => it !== '')
    return lines.length > 0 ? lines : ['Nothing has been decided yet.']
  })
  return 0
}
