import type { ProviderSettings } from '../core/settings.ts'
import { createLoopAgent, type LoopDeps } from './loop/agent.ts'
import type { Agent } from './port.ts'
import { createProposalsAgent } from './proposals/agent.ts'

/** An agent of our own over a model, by tools or by proposals: as its settings say, else by what the model can do, which its server may be asked. */
export function createOwnAgent(deps: LoopDeps, style: ProviderSettings['style']): Agent {
  const { provider } = deps
  const agents = { tools: createLoopAgent(deps), proposals: createProposalsAgent(deps) }
  return {
    provider: provider.name,
    model: provider.model,
    run: async (request) => {
      if (style === undefined) await provider.learn?.(request.signal)
      return agents[style ?? (provider.capabilities.tools ? 'tools' : 'proposals')].run(request)
    },
  }
}
