import type { CommandRun } from '../command-spec.ts'
import { answer } from '../io.ts'
import { oneLine } from '../text.ts'

export const init: CommandRun = async (io) => {
  const made = await (await io.client()).call('project.init', {})
  answer(io, made, () => [
    `Wrote ${oneLine(made.path)}`,
    made.gates.length > 0 ? `Gates found: ${made.gates.join(', ')}` : 'No gate was found: write [gates.tests] into it.',
    ...(made.providers.length > 0
      ? [`Agents found: ${made.providers.join(', ')}`, io.paint('dim', 'Next: reeve doctor, then reeve run "what you want"')]
      : [io.paint('dim', 'Next: name a provider in it, then check with: reeve doctor')]),
  ])
  return 0
}
