import { problemOf, ReeveError } from '../core/errors.ts'
import { NO_USAGE } from '../core/run.ts'
import type { ProviderSettings } from '../core/settings.ts'
import { created, loadPluginModule, type PluginOptions, type ProviderPlugin, pluginOptions } from '../models/plugin.ts'
import type { Agent, AgentRequest, AgentResult } from './port.ts'
import type { RunProgram } from './tools/tool.ts'

/** What the plug-in of an agent is given besides. */
export interface AgentPluginOptions extends PluginOptions {
  /** Starts programs: with `env` and `confinement` of `request.workspace.holdAgent(…)`, so that they are held as every agent is. */
  runProgram: RunProgram
}

/** An agent behind a plug-in. Must not throw: what goes wrong is in the result. */
export interface PluginAgent {
  model: string
  run(request: AgentRequest): Promise<AgentResult>
}

/** A plug-in for an agent: what its module exports as `plugin`. */
export interface AgentPlugin {
  kind: 'agent'
  create(options: AgentPluginOptions): PluginAgent | Promise<PluginAgent>
}

export type Plugin = ProviderPlugin | AgentPlugin

/** The plug-in that a provider's settings name. Throws `invalid_config`, also when the module exports something else. */
export async function loadPlugin(name: string, settings: ProviderSettings, projectRoot: string): Promise<Plugin> {
  const found = await loadPluginModule(name, settings, projectRoot)
  const { kind, create } = (typeof found === 'object' && found !== null ? found : {}) as { kind?: unknown; create?: unknown }
  if ((kind === 'provider' || kind === 'agent') && typeof create === 'function') return found as Plugin
  const problem = `"plugin" of "${settings.module ?? ''}" must be { kind: "provider" or "agent", create(options) }`
  throw new ReeveError('invalid_config', { where: `providers.${name}.module`, problem })
}

/** The agent of a plug-in. Throws `provider_key_missing`, and `invalid_config` where the plug-in throws. */
export async function createPluginAgent(
  plugin: AgentPlugin,
  name: string,
  settings: ProviderSettings,
  deps: Parameters<typeof pluginOptions>[2] & { runProgram: RunProgram },
): Promise<Agent> {
  const options = { ...pluginOptions(name, settings, deps), runProgram: deps.runProgram }
  const made = await created(name, async () => await plugin.create(options))
  return {
    provider: name,
    model: made.model,
    async run(request) {
      try {
        const result: unknown = await inTime(made.run(request), request)
        return isResult(result) ? result : { ...NOTHING, problem: 'The plug-in gave no result.' }
      } catch (error) {
        return { ...NOTHING, problem: `The plug-in has thrown: ${problemOf(error)}` }
      }
    },
  }
}

/** Waits no longer than the step may last: nothing else would end a plug-in that minds neither its limit nor its signal. */
async function inTime(running: Promise<AgentResult>, { limits, signal }: AgentRequest): Promise<AgentResult> {
  const { promise, resolve } = Promise.withResolvers<AgentResult>()
  const seconds = Math.round(limits.timeoutMs / 1000)
  const problem = `The time limit of ${seconds} s is reached, and the plug-in goes on.`
  const timer = setTimeout(() => resolve({ ...NOTHING, status: 'limited', class: null, problem }), limits.timeoutMs + GRACE_MS)
  const gone = () =>
    setTimeout(() => resolve({ ...NOTHING, status: 'aborted', class: 'aborted', problem: 'The step was aborted.' }), GRACE_MS)
  if (signal.aborted) gone()
  else signal.addEventListener('abort', gone, { once: true })
  try {
    return await Promise.race([running, promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', gone)
  }
}

/** For what it has to tidy up. */
const GRACE_MS = 2000

function isResult(value: unknown): value is AgentResult {
  return typeof value === 'object' && value !== null && 'status' in value && 'usage' in value
}

/** What it has used by then, nobody knows. */
const NOTHING: AgentResult = {
  status: 'failed',
  text: '',
  output: null,
  problem: '',
  class: 'crashed',
  retryAt: null,
  usage: NO_USAGE,
  cost: null,
  steps: 0,
}
