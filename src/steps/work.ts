import type { AgentResult } from '../agents/port.ts'
import type { Tried } from '../agents/router/fallback.ts'
import type { EventType, RunEvent } from '../core/event.ts'
import type { Json } from '../core/json.ts'
import type { Role } from '../core/role.ts'
import type { Cost, Usage } from '../core/run.ts'
import type { StepHandle } from '../engine/port.ts'
import type { Reached } from './breach.ts'

/** What an agent is asked. `goal` is rendered inside the step, so it may look at the files as they are then. */
export interface AgentAsk {
  /** Step name, unique in the run. */
  name: string
  role: string
  attempt: number
  goal: () => Promise<string>
  outputSchema?: { [key: string]: Json }
  /** Conventional commit message of the checkpoint that keeps the work. */
  message: string
  /** A role that may write production files may also write tests, as where no spec author has written them. */
  withTests?: boolean
  /** What observers are told of its output; null: nothing. */
  announce?: (output: Json | null) => { type: EventType; data: RunEvent['data'] } | null
  /** The run is fine without it: nobody is asked for more money. */
  spare?: boolean
}

/** What an agent's step left behind; journaled. `commit` is the checkpoint with its work. */
export interface Work {
  status: AgentResult['status']
  text: string
  output: Json | null
  problem: string
  provider: string
  commit: string
  tree: string
  changed: boolean
  usage: Usage
  cost: Cost
  /** What a later attempt by the same provider may go on with. */
  session: string | null
  /** With status `failed`: what the next try has to know. `last`: nobody is left who could take over. */
  failure: { class: Tried['class']; model: string; until: number | null; last: boolean } | null
  /** The budget that ended it, or let it not begin. */
  reached?: Reached
}

/** One try of a step: its own name, and the name that all tries of it share. */
export interface Try {
  ask: AgentAsk & { base: string }
  role: Role
  tried: readonly Tried[]
  step: StepHandle
}
