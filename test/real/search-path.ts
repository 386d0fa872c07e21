import { delimiter } from 'node:path'
import { AGENT_PROGRAMS } from '../support/tools.ts'

/** The search path with the real agents in front. */
export function searchPath(): string {
  return [AGENT_PROGRAMS, process.env['PATH'] ?? ''].join(delimiter)
}
