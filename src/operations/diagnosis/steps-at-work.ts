import type { RunEvent } from '../../core/event.ts'
import { word } from './finding.ts'

export interface OpenStep {
  name: string
  provider: string
  started: RunEvent
}

/** Steps that have begun and not ended, in the order of their beginning. */
export function openSteps(events: readonly RunEvent[]): OpenStep[] {
  const open = new Map<string, OpenStep>()
  for (const event of events) {
    const name = word(event, 'step')
    if (event.type === 'run.started') {
      // A question outlives the process that has asked it.
      for (const [key, it] of open) if (word(it.started, 'kind') !== 'approval') open.delete(key)
    }
    if (event.type === 'step.started') open.set(name, { name, provider: word(event, 'provider'), started: event })
    if (event.type === 'step.finished' || event.type === 'step.failed') open.delete(name)
    const at = open.get(name)
    if (event.type === 'provider.chosen' && at) at.provider = word(event, 'provider')
  }
  return [...open.values()]
}
