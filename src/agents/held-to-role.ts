import type { FileSettings } from '../core/settings.ts'
import { guardTree, type TreeFindings } from './cli/tree-guard.ts'
import type { Agent, AgentResult } from './port.ts'

/** An agent that does not ask us before it writes: what it did to the files is held to the rules of its role afterwards. */
export function heldToRole(agent: Agent, rules: FileSettings): Agent {
  return {
    ...agent,
    async run(request) {
      const tree = await guardTree(request, rules)
      const result = await agent.run(request)
      // Nobody takes what an aborted step has left.
      if (request.signal.aborted) return result
      const found = await tree.look()
      if (found.putBack !== null) request.emit({ type: 'noticed', level: 'warning', text: found.putBack })
      return judged(result, found)
    },
  }
}

function judged(result: AgentResult, { broke, tooMany }: TreeFindings): AgentResult {
  if (broke !== null) return { ...result, status: 'failed', class: 'bad_output', problem: broke, output: null }
  if (tooMany !== null && result.status === 'completed') return { ...result, status: 'limited', problem: tooMany, output: null }
  return result
}
