import type { CommandRun } from '../command-spec.ts'

export const serve: CommandRun = (io, _args, options) =>
  io.serve({
    host: options['host'] as string | undefined,
    port: options['port'] as number | undefined,
    untilIdle: options['untilIdle'] === true,
  })
