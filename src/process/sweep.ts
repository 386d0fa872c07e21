import { killWhere } from './process-tree.ts'

/**
 * Kills everything that a dead reeve left of a run, found by the mark in the environment, and returns how many processes that were.
 * Never this process or one above it. Call it before the run goes on, not while this reeve itself has programs of the run.
 */
export function sweepRun(runId: string): Promise<number> {
  return killWhere((row) => row.run === runId || row.proc.split('/').some((id) => id.startsWith(`${runId}.`)))
}
