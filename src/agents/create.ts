import { type Clock, systemClock } from '../core/clock.ts'
import type { Redaction } from '../core/redact.ts'
import type { ProviderSettings, Settings } from '../core/settings.ts'
import type { Admission } from '../models/admission.ts'
import type { Agent } from './port.ts'

export interface AgentDeps {
  /** The user's environment and home: keys, programs and log-ins are theirs. */
  env: Readonly<Record<string, string | undefined>>
  home: string
  projectRoot: string
  redaction: Redaction
  clock?: Clock
  /** What each request to the provider passes; absent: nothing is held back. */
  admission?: Admission
}

/** The agent behind a configured provider. Throws `provider_key_missing`, `invalid_config`, `program_missing`; asks nobody over the network. */
export async function createAgent(name: string, provider: ProviderSettings, settings: Settings, deps: AgentDeps): Promise<Agent> {
  if (provider.kind !== 'plugin') return overModel(name, provider, settings, deps)
  const { createPluginAgent, loadPlugin } = await import('./plugin.ts')
  const plugin = await loadPlugin(name, provider, deps.projectRoot)
  if (plugin.kind === 'provider') return overModel(name, provider, settings, deps)
  const { runProgram } = await import('../process/run-program.ts')
  return createPluginAgent(plugin, name, provider, { ...deps, runProgram })
}

/** An agent of our own over a model: what is heavy is loaded when the first one is made. */
async function overModel(name: string, provider: ProviderSettings, settings: Settings, deps: AgentDeps): Promise<Agent> {
  const [{ createLoopAgent }, { createProvider }, { runProgram }, { syntaxErrors }, { repoMap }] = await Promise.all([
    import('./loop/agent.ts'),
    import('../models/create.ts'),
    import('../process/run-program.ts'),
    import('../scanner/syntax.ts'),
    import('../scanner/repo-map.ts'),
  ])
  const { env, projectRoot, redaction, admission, clock = systemClock } = deps
  const model = await createProvider(name, provider, {
    env,
    projectRoot,
    clock,
    network: settings.network,
    ...(admission && { admission }),
  })
  return createLoopAgent({ provider: model, clock, runProgram, syntaxErrors, repoMap, fileRules: settings.files, redaction })
}
