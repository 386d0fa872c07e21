import type { Clock } from '../../core/clock.ts'
import { ReeveError } from '../../core/errors.ts'
import type { Redaction } from '../../core/redact.ts'
import { NO_USAGE } from '../../core/run.ts'
import type { CliKind, ProviderSettings, Settings } from '../../core/settings.ts'
import type { Admission } from '../../models/admission.ts'
import { startMeter } from '../../models/meter/meter.ts'
import { fetchFor } from '../../models/network.ts'
import type { ProviderErrorClass } from '../../models/port.ts'
import { costOf, priceOf } from '../../models/prices.ts'
import { runProgram } from '../../process/run-program.ts'
import { acpAdapter, createAcpAgent } from '../acp/agent.ts'
import type { Agent } from '../port.ts'
import { adapterOf } from './adapters.ts'
import { createCliAgent } from './agent.ts'
import type { CliDeps } from './deps.ts'
import { createDetector, type Detector } from './detect.ts'
import type { CliAdapter } from './port.ts'

export interface ProgramAgentDeps {
  /** The user's environment and home: keys, programs and log-ins are theirs. */
  env: Readonly<Record<string, string | undefined>>
  home: string
  redaction: Redaction
  clock: Clock
  admission?: Admission
  /** Knows versions, and keeps them; absent: the program is asked each time. */
  detect?: Detector
}

/**
 * The agent of a provider that is a program. One that is not installed fails when it is asked, so that the next provider takes over. Throws
 * `provider_key_missing`, `invalid_config`.
 */
export async function createProgramAgent(
  name: string,
  provider: ProviderSettings,
  settings: Settings,
  deps: ProgramAgentDeps,
): Promise<Agent> {
  const { env, home, redaction, clock, admission } = deps
  const adapter = adapterFor(name, provider)
  const binary = provider.binary ?? adapter.binary
  const detect = deps.detect ?? createDetector({ env, home, run: runProgram })
  // Most take a second to say whether somebody is logged in, and it is asked before each step.
  const { path, version, loggedIn, problem } = await detect(provider.login ? adapter : { ...adapter, login: null }, binary)
  const model = provider.model ?? adapter.kind
  if (path === null) return unable(name, model, 'config', `${problem} Install it, or name it: providers.${name}.binary`)
  if (provider.login && loggedIn === false) return unable(name, model, 'auth', `Nobody is logged in. Log in with it once: ${path}`)
  const speaks = provider.kind === 'acp' || provider.mode === 'acp'
  const made: CliDeps = {
    name,
    settings: provider,
    adapter,
    program: { path, version },
    env,
    realHome: home,
    fileRules: settings.files,
    clock,
    redaction,
    runProgram,
    startMeter,
    ...(admission === undefined ? {} : { admission }),
    fetch: await fetchFor(settings.network, env),
    priced: (model, tokens) => costOf(tokens, priceOf(model, provider, settings.prices)),
  }
  return speaks ? createAcpAgent(made) : createCliAgent(made)
}

function adapterFor(name: string, provider: ProviderSettings): CliAdapter {
  const where = `providers.${name}`
  if (provider.kind === 'acp') {
    if (provider.binary === undefined) throw new ReeveError('invalid_config', { where, problem: 'An agent of kind "acp" needs binary.' })
    return acpAdapter(provider)
  }
  const adapter = adapterOf(provider.kind as CliKind, provider)
  if (adapter === null) throw new ReeveError('invalid_config', { where, problem: `There is no adapter for the kind "${provider.kind}".` })
  if (adapter.binary === '') throw new ReeveError('invalid_config', { where, problem: 'A provider of kind "command" needs binary.' })
  if (provider.mode === 'acp' && adapter.acp === null) {
    throw new ReeveError('invalid_config', { where, problem: `${adapter.binary} does not speak the Agent Client Protocol (mode = "acp").` })
  }
  return adapter
}

/** One that cannot even be started: the next provider takes over. */
function unable(provider: string, model: string, kind: ProviderErrorClass, problem: string): Agent {
  const nothing = { text: '', output: null, usage: NO_USAGE, cost: 0, steps: 0, retryAt: null }
  return { provider, model, run: async () => ({ ...nothing, status: 'failed', class: kind, problem }) }
}
