import type { CommandRun } from '../command-spec.ts'
import { choicesOf, follow } from './run.ts'

export const retry: CommandRun = async (io, args, options) => {
  const client = await io.client()
  return follow(io, await client.call('runs.retry', { run: args[0] ?? '', ...choicesOf(options) }), options)
}
