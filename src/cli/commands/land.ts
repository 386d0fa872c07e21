import { ReeveError } from '../../core/errors.ts'
import type { CommandRun } from '../command-spec.ts'
import { answer } from '../io.ts'
import { oneLine } from '../text.ts'

export const land: CommandRun = async (io, args, options) => {
  const merge = options['merge'] === true
  const squash = options['squash'] === true
  if (merge && squash) throw new ReeveError('invalid_input', { problem: 'There are --merge and --squash; give one of them.' })
  const branch = options['branch'] as string | undefined
  if (branch !== undefined && (merge || squash)) {
    throw new ReeveError('invalid_input', {
      problem: '--branch names the branch that is made; --merge and --squash go to the branch you are on.',
    })
  }
  const landed = await (await io.client()).call('runs.land', {
    run: args[0] ?? '',
    how: merge ? 'merge' : squash ? 'squash' : 'branch',
    force: options['force'] === true,
    ...(branch === undefined ? {} : { branch }),
  })
  const what =
    landed.how === 'branch'
      ? `The branch ${oneLine(landed.branch)} is at`
      : `${landed.how === 'merge' ? 'Merged' : 'Squashed'} into ${oneLine(landed.branch)}:`
  answer(io, landed, () => [
    `${what} ${landed.commit.slice(0, 12)}.`,
    ...(landed.forced ? [io.paint('yellow', `Landed by force: the verdict is ${landed.verdict.replace('_', ' ')}.`)] : []),
  ])
  return 0
}
