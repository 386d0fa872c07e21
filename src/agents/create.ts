import { resolve } from 'node:path'
import { type Clock, systemClock } from '../core/clock.ts'
import { ReeveError } from '../core/errors.ts'
import type { Redaction } from '../core/redact.ts'
import { isCliKind, type ProviderSettings, type Settings } from '../core/settings.ts'
import type { Admission } from '../models/admission.ts'
import type { EnginePool } from '../models/llamacpp/keep-engine.ts'
import type { ModelProvider } from '../models/port.ts'
import { cassetteFile, type Recorder, recorded } from '../models/recording/recorder.ts'
import type { Detector } from './cli/detect.ts'
import type { Agent } from './port.ts'
import { differs, recordedAgent, replayAgent } from './recording.ts'

export interface AgentDeps {
  /** The user's environment and home: keys, programs and log-ins are theirs. */
  env: Readonly<Record<string, string | undefined>>
  home: string
  projectRoot: string
  /** Where recordings of runs lie; absent: a run cannot be named as a recording. */
  evidenceDir?: string
  /** reeve's data folder: the user's own models and the engine for them. */
  dataDir?: string
  /** Keeps local models loaded from one agent to the next. */
  engines?: EnginePool
  redaction: Redaction
  clock?: Clock
  /** Knows the versions of programs. */
  detect?: Detector
  /** What each request to the provider passes; absent: nothing is held back. */
  admission?: Admission
  /** Writes every exchange down; absent: nothing is recorded. */
  recorder?: Recorder
}

/** One provider of the settings, and what an agent over it needs. */
interface Wish {
  name: string
  provider: ProviderSettings
  settings: Settings
  deps: AgentDeps
}

/** The agent behind a configured provider. Throws `provider_key_missing`, `invalid_config`; asks nobody over the network. */
export async function createAgent(name: string, provider: ProviderSettings, settings: Settings, deps: AgentDeps): Promise<Agent> {
  const wish = { name, provider, settings, deps }
  if (provider.kind === 'replay') return overRecording(wish)
  if (provider.kind === 'plugin') return overPlugin(wish)
  if (provider.kind === 'acp' || isCliKind(provider.kind)) return overProgram(wish)
  return overModel(wish, await modelOf(wish))
}

async function modelOf({ name, provider, settings, deps }: Wish): Promise<ModelProvider> {
  const { createProvider } = await import('../models/create.ts')
  const { env, projectRoot, admission, dataDir, engines, recorder, clock = systemClock } = deps
  const more = { ...(admission && { admission }), ...(dataDir !== undefined && { dataDir }), ...(engines && { engines }) }
  const model = await createProvider(name, priced(provider, settings), { env, projectRoot, clock, network: settings.network, ...more })
  return recorder === undefined ? model : recorded(model, recorder)
}

/** What the settings say a model costs holds for every provider of it that says nothing itself. */
function priced(provider: ProviderSettings, { prices }: Settings): ProviderSettings {
  const { model = '' } = provider
  const price = provider.price ?? (Object.hasOwn(prices, model) ? prices[model] : undefined)
  return price === undefined ? provider : { ...provider, price }
}

/** An agent of our own over a model: what is heavy is loaded when the first one is made. */
async function overModel({ provider, settings, deps }: Wish, model: ModelProvider): Promise<Agent> {
  const [{ createOwnAgent }, { runProgram }, { syntaxErrors }, { repoMap }] = await Promise.all([
    import('./own.ts'),
    import('../process/run-program.ts'),
    import('../scanner/syntax.ts'),
    import('../scanner/repo-map.ts'),
  ])
  const { redaction, clock = systemClock } = deps
  const parts = { provider: model, clock, runProgram, syntaxErrors, repoMap, fileRules: settings.files, redaction }
  return createOwnAgent(parts, provider.style)
}

async function overProgram({ name, provider, settings, deps }: Wish): Promise<Agent> {
  const { createProgramAgent } = await import('./cli/create.ts')
  return writtenDown(await createProgramAgent(name, provider, settings, { ...deps, clock: deps.clock ?? systemClock }), deps)
}

async function overPlugin(wish: Wish): Promise<Agent> {
  const { name, provider, settings, deps } = wish
  const { createPluginAgent, loadPlugin } = await import('./plugin.ts')
  const plugin = await loadPlugin(name, provider, deps.projectRoot)
  if (plugin.kind === 'provider') return overModel(wish, await modelOf(wish))
  const [{ runProgram }, { heldToRole }] = await Promise.all([import('../process/run-program.ts'), import('./held-to-role.ts')])
  const agent = await createPluginAgent(plugin, name, provider, { ...deps, runProgram })
  return writtenDown(heldToRole(agent, settings.files), deps)
}

function writtenDown(agent: Agent, { recorder }: AgentDeps): Agent {
  return recorder === undefined ? agent : recordedAgent(agent, recorder)
}

const RUN_ID = /^r[0-9a-z]+$/

/** What a recorded run was answered. */
async function overRecording(wish: Wish): Promise<Agent> {
  const { name, provider, deps } = wish
  const where = `providers.${name}.file`
  const { file } = provider
  if (file === undefined)
    throw new ReeveError('invalid_config', { where, problem: 'a provider of kind "replay" needs a recording, or the id of a recorded run' })
  const path = RUN_ID.test(file) && deps.evidenceDir !== undefined ? cassetteFile(deps.evidenceDir, file) : resolve(deps.projectRoot, file)
  const [{ readCassette }, { createReplay }] = await Promise.all([
    import('../models/recording/cassette.ts'),
    import('../models/recording/replay.ts'),
  ])
  const cassette = await readCassette(path, where)
  return replayAgent(name, cassette, wish.settings.files, ({ emit, origin }) => {
    const told = new Set<string>()
    const model = createReplay({
      name,
      cassette,
      // As it was then: an agent that worked by proposals was given no tools.
      tools: cassette.model({ step: origin.step, turn: 0 })?.request.tools.length !== 0,
      differs: ({ step }) => {
        if (!told.has(step)) emit(differs('was asked something else'))
        told.add(step)
      },
    })
    return overModel(wish, model)
  })
}
