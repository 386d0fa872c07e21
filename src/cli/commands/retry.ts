import { ReeveError } from '../../core/errors.ts'
import type { CommandRun } from '../command-spec.ts'
import { say } from '../io.ts'
import { choicesOf, follow } from './run.ts'

export const retry: CommandRun = async (io, args, options) => {
  const [run] = args
  const failed = options['failed'] === true
  if (failed === (run !== undefined))
    throw new ReeveError('invalid_input', { problem: 'Name a run, or give --failed for all that have failed.' })
  const since = options['since'] as string | undefined
  if (since !== undefined && !failed) throw new ReeveError('invalid_input', { problem: '--since goes with --failed.' })
  const client = await io.client()
  if (run !== undefined) return follow(io, await client.call('runs.retry', { run, ...choicesOf(options) }), options)
  const again = await client.call('queue.retry', { ...choicesOf(options), ...(since === undefined ? {} : { since }) })
  if (again.runs.length > 0) return follow(io, again, options)
  if (!io.json) say(io, 'Nothing to retry: no task whose last run has failed.')
  return 0
}
