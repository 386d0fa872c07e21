import type { CallToolResult } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { isFinished, RUN_STATUSES, type RunStatus } from '../core/run.ts'
import { answer } from './answer.ts'

/** Fields that several tools have. Every byte of a description is in every prompt of a host: one sentence where the name does not say it. */

const old = (instead: string) => ({ deprecated: true, description: `= ${instead}` })

/** An older name of a field. */
export const oldText = (instead: string) => z.string().optional().meta(old(instead))
export const oldSwitch = (instead: string) => z.boolean().optional().meta(old(instead))
export const oldList = (instead: string) => z.array(z.string()).optional().meta(old(instead))

/** The run a call is about, by its name of now or the older one. */
export const runFields = {
  runId: z.string().optional(),
  coder_id: oldText('runId'),
}

export function runIdOf(tool: string, input: { runId?: string | undefined; coder_id?: string | undefined }): string {
  const run = input.runId ?? input.coder_id
  if (run === undefined || run === '') throw new ReeveError('invalid_input', { problem: `${tool}: runId: is missing` })
  return run
}

export const stateField = z.enum(RUN_STATUSES)
export const idsOut = { runId: z.string(), coder_id: z.string() }

/** Both names of a run, for the answers. */
export function ids(run: string): { runId: string; coder_id: string } {
  return { runId: run, coder_id: run }
}

/** When to ask again without a long poll. A person takes longer to decide than a step to end. */
export function pollAfter(state: RunStatus): number {
  if (isFinished(state)) return 0
  return state === 'waiting' ? 10_000 : 2000
}

/** The answer of a tool that has changed something. */
export function stateOf({ id, status }: { id: string; status: RunStatus }): CallToolResult {
  return answer({ ...ids(id), state: status })
}
