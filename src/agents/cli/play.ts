import type { ProgramResult } from '../../process/port.ts'
import type { AgentRequest } from '../port.ts'
import type { CliDeps } from './deps.ts'
import type { CliEvent } from './port.ts'
import type { Stage } from './stage.ts'

/** How a program came to its end. */
export interface Ended {
  code: number | null
  signal: string | null
  stderr: string
  /** It could not be started, or a limit of the sandbox ended it: the result of the process, which says why. */
  broken: ProgramResult | null
}

/** What a driver of programs is given. It starts the program, and passes on what it says. */
export interface Play {
  deps: CliDeps
  request: AgentRequest
  stage: Stage
  prompt: string
  /** Aborts when the program must end: by itself within a second, then by force. */
  signal: AbortSignal
  hear: (event: CliEvent) => void
  /** A line came, whatever it said. */
  alive: () => void
  /** The session as the program has named it, '' when it has not. */
  session: () => string
  /** It has answered the prompt: another prompt for the same session, or null. */
  next: (ended: Ended) => string | null
  /** It could not go on with the session of before: may it begin anew, since it has done nothing? Then the new session's id, else null. */
  anew: (ended: Ended) => string | null
}

/** Runs a program until it has done what it can. */
export type Driver = (play: Play) => Promise<Ended>
