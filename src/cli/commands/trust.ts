import type { CommandRun } from '../command-spec.ts'
import { answer } from '../io.ts'
import { oneLine } from '../text.ts'

export const trust: CommandRun = async (io) => {
  const { trusted, ...rest } = await (await io.client()).call('project.trust', {})
  answer(io, { ...rest, trusted }, () =>
    trusted.length === 0
      ? ['There is nothing to agree to: no file of this project decides where what is yours goes.']
      : [
          'From now on, until its files say something else:',
          ...trusted.map((it) => oneLine(`  "${it.provider}" ${it.what} (${it.where})`)),
        ],
  )
  return 0
}
