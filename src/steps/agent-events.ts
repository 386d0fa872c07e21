import type { AgentEvent } from '../agents/port.ts'
import { problemOf } from '../core/errors.ts'
import type { EventType, RunEvent } from '../core/event.ts'
import type { Role } from '../core/role.ts'
import type { StepHandle } from '../engine/port.ts'
import type { Job } from './job.ts'

export interface Telling {
  job: Job
  ask: { name: string }
  role: Role
  provider: string
}

/** Events in the order the agent told them; a slow store must not reorder them, and a failed write must not be lost silently. */
export function tell(about: Telling, step: StepHandle): { emit: (event: AgentEvent) => void; settled: () => Promise<void> } {
  let queue: Promise<void> = Promise.resolve()
  let broken: unknown = null
  return {
    emit: (event) => {
      queue = queue
        .then(() => step.emit(...toldAs(event, about)))
        .catch((error: unknown) => {
          broken ??= error
        })
    },
    settled: async () => {
      await queue
      if (broken !== null) throw broken instanceof Error ? broken : new Error(problemOf(broken))
    },
  }
}

/** An agent's event as one of the run's. */
function toldAs(event: AgentEvent, { job, ask, role, provider }: Telling): [EventType, RunEvent['data']] {
  const { redact } = job.kit
  const step = ask.name
  switch (event.type) {
    case 'started': {
      const { program, version, model, session } = event
      return ['agent.started', { step, provider, program, version, model, session }]
    }
    case 'noticed':
      return ['agent.noticed', { step, level: event.level, text: redact(event.text) }]
    case 'used': {
      const { usage, cost, model, source } = event
      return ['usage.reported', { step, provider, model, role: role.name, usage: { ...usage }, cost, source }]
    }
    case 'said':
      return ['agent.said', { step, text: redact(event.text) }]
    case 'broke': {
      const { limit, allowed, peak, unit, setting } = event.breach
      return ['limit.broken', { step, limit, allowed, peak, unit, setting, command: redact(event.command) }]
    }
    case 'retrying':
      return ['provider.limited', { step, provider, class: event.class, problem: redact(event.problem), inMs: event.inMs }]
    case 'acted': {
      const { tool, ok } = event
      return ['agent.acted', { step, tool, target: redact(event.target), ok, summary: redact(event.summary) }]
    }
    default:
      return event satisfies never
  }
}
