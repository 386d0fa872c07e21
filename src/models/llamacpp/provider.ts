import { basename, resolve } from 'node:path'
import { type Clock, systemClock } from '../../core/clock.ts'
import { problemOf, ReeveError } from '../../core/errors.ts'
import type { ProviderSettings } from '../../core/settings.ts'
import type { Admission } from '../admission.ts'
import { ProviderFailure, type RawEvent } from '../guard.ts'
import { limitsFrom } from '../limits.ts'
import type { GenerateRequest, ModelProvider } from '../port.ts'
import { retriesOf, withRetries } from '../retry.ts'
import { askOf } from './ask.ts'
import { type Engine, startEngine } from './engine.ts'
import { defaultThreads, type EnginePlaces, findEngine, missingEngine } from './find-engine.ts'
import { type GgufHeader, readHeader } from './header.ts'
import { type EnginePool, keepEngine } from './keep-engine.ts'
import { readModels } from './registry.ts'

export interface LlamaCppDeps {
  env: EnginePlaces['env']
  projectRoot: string
  dataDir?: string
  /** Keeps engines beyond this provider; absent: it has its own, which its `close` ends. */
  engines?: EnginePool
  clock?: Clock
  admission?: Admission
}

/** A context takes memory as it grows, some 2 GB for this one with a model of 8 billion; `context_tokens` says otherwise. */
const CONTEXT_TOKENS = 16_384
/** What a file that says nothing was at least made for. */
const SMALL_CONTEXT_TOKENS = 2048
const MB = 1024 * 1024

interface ModelFile {
  path: string
  header: GgufHeader | null
  /** Why it cannot be used, '' when it can. */
  problem: string
}

/**
 * A model of the user's own from a GGUF file, through llama.cpp in a process of its own. It calls no tools; what it says can be held to a
 * JSON Schema. Throws `invalid_config` without a `file`; what is wrong with that, or with the engine, is told by each call and by `health`.
 */
export async function createLlamaCpp(name: string, settings: ProviderSettings, deps: LlamaCppDeps): Promise<ModelProvider> {
  const { file } = settings
  if (file === undefined) {
    throw new ReeveError('invalid_config', {
      where: `providers.${name}.file`,
      problem: 'a provider of kind "llamacpp" needs a GGUF file, or the name of a model that was added with: reeve models add',
    })
  }
  const clock = deps.clock ?? systemClock
  const places: EnginePlaces = { env: deps.env, dataDir: deps.dataDir ?? null }
  const model = await findModel(file, settings, deps)
  const contextTokens = Math.min(model.header?.contextTokens ?? SMALL_CONTEXT_TOKENS, settings.context_tokens ?? CONTEXT_TOKENS)
  const start = async (signal: AbortSignal) => {
    const { engine } = usable(model, places)
    return startEngine({ ...limits, engine, threads: settings.threads ?? (await defaultThreads()), clock }, signal)
  }
  const limits = {
    provider: name,
    file: model.path,
    contextTokens,
    memoryMb: settings.memory_mb,
    loadTimeoutMs: settings.load_timeout_seconds * 1000,
  }
  const engines = deps.engines?.keep(JSON.stringify([limits, settings.threads]), start) ?? keepEngine(start)

  return {
    name,
    model: settings.model ?? (model.header?.name || basename(file)),
    capabilities: { tools: false, schema: true, contextTokens },
    async *generate(request) {
      // Calls wait for each other here, before their time is counted.
      const turn = await engines.turn(request.signal)
      try {
        yield* withRetries((signal) => say(request, settings, contextTokens, () => engines.engine(), signal), {
          ...retriesOf(settings, request, clock, deps.admission),
          limits: limitsWithLoading(settings),
          price: () => 0,
        })
      } finally {
        turn.end()
      }
    },
    async health() {
      try {
        usable(model, places)
        const { architecture, parameters } = model.header ?? {}
        return { ok: true, detail: `${model.path} (${architecture}, ${inBillions(parameters ?? 0)}), context of ${contextTokens} tokens` }
      } catch (error) {
        return { ok: false, detail: problemOf(error) }
      }
    },
    close: async () => (deps.engines === undefined ? engines.close() : undefined),
  }
}

async function findModel(file: string, settings: ProviderSettings, { projectRoot, dataDir }: LlamaCppDeps): Promise<ModelFile> {
  const models = dataDir === undefined ? {} : await readModels(dataDir)
  const added = Object.hasOwn(models, file) ? models[file] : undefined
  const unusable = (path: string, why: string) => ({ path, header: null, problem: `The model "${path}" cannot be used: ${why}.` })
  // A file of the project that has such a name is none that the user has agreed to.
  if (added === undefined && !isPath(file))
    return unusable(file, 'no model of this name was added, and a file has a path or ends in ".gguf"')
  const path = added?.file ?? resolve(projectRoot, file)
  try {
    const header = await readHeader(path)
    const sizeMb = Math.ceil(header.sizeBytes / MB)
    if (sizeMb <= settings.memory_mb) return { path, header, problem: '' }
    const problem = `The model "${path}" has ${sizeMb} MB, and the engine may use ${settings.memory_mb} MB (memory_mb).`
    return { path, header, problem }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return unusable(path, missing ? 'there is no such file' : problemOf(error))
  }
}

/** Is it a file, and not the name of a model that was added? `config/` asks the same. */
function isPath(file: string): boolean {
  return /[/\\]|\.gguf$/i.test(file)
}

/** Throws a `ProviderFailure` that says what is missing. */
function usable(model: ModelFile, places: EnginePlaces): { engine: string } {
  if (model.problem !== '') throw new ProviderFailure('config', model.problem, { final: true })
  const engine = findEngine(places)
  if (engine === null) throw new ProviderFailure('config', missingEngine(places), { final: true })
  return { engine }
}

function limitsWithLoading(settings: ProviderSettings) {
  const limits = limitsFrom(settings, true)
  const loadMs = settings.load_timeout_seconds * 1000
  return { ...limits, totalMs: limits.totalMs + loadMs, firstByteMs: limits.firstByteMs + loadMs }
}

async function* say(
  request: GenerateRequest,
  settings: ProviderSettings,
  contextTokens: number,
  engineOf: () => Promise<Engine>,
  signal: AbortSignal,
): AsyncGenerator<RawEvent> {
  signal.throwIfAborted()
  const engine = await engineOf()
  for await (const said of engine.answer(askOf(request, settings, contextTokens), signal)) {
    if (said.type === 'text') yield { type: 'text', text: said.text }
    else if (said.type === 'error') throw new ProviderFailure('bad_output', `The engine could not answer: ${said.problem}`)
    else if (said.type === 'too_long') throw tooLong(said.input, said.contextTokens)
    else if (said.finish === 'stopped') throw new ProviderFailure('aborted', 'The call was aborted.', { final: true })
    else yield { type: 'end', tokens: { input: said.input, output: said.output, cached: said.cached }, finish: said.finish }
  }
}

function tooLong(input: number, contextTokens: number): ProviderFailure {
  const problem = `The prompt has ${input} tokens; with room for an answer it does not fit into the context of ${contextTokens} tokens (context_tokens).`
  return new ProviderFailure('context_too_long', problem, { final: true })
}

function inBillions(parameters: number): string {
  return parameters >= 1e8 ? `${(parameters / 1e9).toFixed(1)} billion parameters` : `${(parameters / 1e6).toFixed(1)} million parameters`
}
