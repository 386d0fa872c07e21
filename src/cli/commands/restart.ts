import type { CommandRun } from '../command-spec.ts'
import { follow } from './run.ts'

export const restart: CommandRun = async (io, args, options) =>
  follow(io, await (await io.client()).call('runs.restart', { run: args[0] ?? '' }), options)
