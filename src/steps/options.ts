import { z } from 'zod'
import { ISOLATION_LEVELS } from '../core/isolation.ts'
import { settingsSchema } from '../core/settings.ts'
import type { RunContext } from '../engine/port.ts'

/** A run's row, as the engine hands it out. */
export type RunRow = RunContext['row']

/**
 * What a run is begun with, kept in its row: the settings are resolved once, when the run is submitted, from the user's own checkout.
 * Nothing that an agent writes later can change them, and a resumed run sees the same.
 */
export const runOptionsSchema = z.object({
  settings: settingsSchema,
  /** Commit the run begins from. */
  base: z.string(),
  /** Who submitted it. */
  actor: z.string(),
  /** Wall time of the whole run in ms, without waits for people. Read by the engine. */
  timeoutMs: z.number().positive(),
  /** Level of isolation that was in force when it was submitted: it does not go on below. */
  isolation: z.enum(ISOLATION_LEVELS).optional(),
  /** Names of the environment variables that held its keys when it was submitted. */
  variables: z.array(z.string()).optional(),
  /** W3C `traceparent` of who submitted it. */
  trace: z.string().optional(),
  /** For a retry: the run it repeats. */
  retryOf: z.string().optional(),
  /** For a replay: the run that is done again, and the commit of it whose files it begins with (default: the base). */
  replayOf: z.string().optional(),
  begin: z.string().optional(),
})
export type RunOptions = z.infer<typeof runOptionsSchema>

export function optionsOf(row: RunRow): RunOptions {
  return runOptionsSchema.parse(row.options)
}
