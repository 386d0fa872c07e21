import type { CommandRun } from '../command-spec.ts'
import { choicesOf, follow } from './run.ts'

export const replay: CommandRun = async (io, args, options) => {
  const client = await io.client()
  const { provider, record, trust, accept_isolation } = choicesOf(options)
  const from = options['from'] as string | undefined
  const asked = {
    run: args[0] ?? '',
    ...(from === undefined ? {} : { from }),
    ...(provider === undefined ? {} : { provider }),
    ...(record === undefined ? {} : { record }),
    ...(trust === undefined ? {} : { trust }),
    ...(accept_isolation === undefined ? {} : { accept_isolation }),
  }
  return follow(io, await client.call('runs.replay', asked), options)
}
