import { nearest, ReeveError } from '../../core/errors.ts'
import type { CommandRun } from '../command-spec.ts'
import { completionScript, SHELLS, type Shell } from '../completion.ts'

// oxlint-disable-next-line require-await
export const completion: CommandRun = async (io, args) => {
  const [shell = ''] = args
  if (!(SHELLS as readonly string[]).includes(shell)) {
    const near = nearest(shell, SHELLS)
    throw new ReeveError('invalid_input', {
      problem: `No completion for the shell "${shell}". ${near === undefined ? `Known: ${SHELLS.join(', ')}.` : `Did you mean "${near}"?`}`,
    })
  }
  io.out(completionScript(shell as Shell))
  return 0
}
