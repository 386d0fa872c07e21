import { ReeveError } from '../../core/errors.ts'
import type { CommandRun } from '../command-spec.ts'
import { answer } from '../io.ts'
import { oneLine } from '../text.ts'

export const rescue: CommandRun = async (io, args, options) => {
  const attempt = options['attempt'] as number | undefined
  const to = options['to'] as string | undefined
  const branch = options['branch'] as string | undefined
  if (attempt === undefined && (to !== undefined || branch !== undefined)) {
    throw new ReeveError('invalid_input', { problem: 'Which attempt? Give --attempt <n>; without it the kept attempts are listed.' })
  }
  if (to !== undefined && branch !== undefined)
    throw new ReeveError('invalid_input', { problem: 'There are --to and --branch; give one of them.' })
  const found = await (await io.client()).call('runs.rescue', {
    run: args[0] ?? '',
    ...(attempt === undefined ? {} : { attempt }),
    ...(to === undefined ? {} : { folder: io.resolve(to) }),
    ...(branch === undefined ? {} : { branch }),
  })
  answer(io, found, () => {
    const { restored } = found
    if (restored)
      return [
        `Attempt ${restored.number} (${restored.commit.slice(0, 12)}) is ${restored.folder === null ? `the branch ${oneLine(restored.branch ?? '')}` : `in ${oneLine(restored.folder)}`}.`,
      ]
    if (found.attempts.length === 0) return ['No attempt was kept: everything this run wrote is on its branch.']
    return [
      ...found.attempts.map((it) => `${String(it.number).padStart(3)}  ${it.commit.slice(0, 12)}  ${it.at}  ${oneLine(it.subject)}`),
      io.paint('dim', `Bring one back: reeve rescue ${found.run} --attempt ${found.attempts.at(-1)?.number ?? 1}`),
    ]
  })
  return 0
}
