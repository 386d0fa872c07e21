import type { CommandRun } from '../commands.ts'
import { answer } from '../io.ts'
import { mark } from '../live/frame.ts'
import { oneLine, pad, safe } from '../text.ts'

const MARKS = { ok: 'passed', warning: 'warning', missing: 'failed' } as const

export const doctor: CommandRun = async (io) => {
  const found = await (await io.client()).call('doctor.check', {})
  answer(io, { reeve: io.version, ...found }, () => [
    `reeve ${io.version}`,
    ...found.checks.flatMap((it) => [
      `${mark(io, MARKS[it.status])} ${pad(it.about, 8)} ${pad(oneLine(it.name), 14)} ${safe(it.detail).split('\n').join('\n    ')}`,
      ...(it.hint === null ? [] : [io.paint('dim', `    ${oneLine(it.hint)}`)]),
    ]),
    found.ok ? 'All that is needed is there.' : io.paint('red', 'Something that is needed is missing.'),
  ])
  return found.ok ? 0 : 3
}
