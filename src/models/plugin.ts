import { registerHooks } from 'node:module'
import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { systemClock } from '../core/clock.ts'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { Json } from '../core/json.ts'
import { redactor } from '../core/redact.ts'
import type { ProviderSettings } from '../core/settings.ts'
import { classify } from './classify.ts'
import type { ProviderDeps } from './create.ts'
import { ProviderFailure, type RawEvent } from './guard.ts'
import { CONTEXT_TOKENS, limitsFrom } from './limits.ts'
import { agreedEvents } from './plugin-events.ts'
import type { GenerateRequest, ModelProvider, ProviderErrorClass } from './port.ts'
import { costOf, priceOf } from './prices.ts'
import { retriesOf, withRetries } from './retry.ts'

/** What a plug-in is given when it is made. */
export interface PluginOptions {
  /** Name of the provider in the settings. */
  name: string
  model: string | null
  baseUrl: string | null
  /** The key that `api_key_env` names; it is taken out of whatever reeve writes. */
  key: string | null
  /** `[providers.<name>.options]` of the settings. */
  options: { [key: string]: Json }
  projectRoot: string
  /** An error with a class: what happens next follows from it. `retryAfterMs`: what the provider asked for. */
  fail: (kind: ProviderErrorClass, problem: string, more?: { retryAfterMs?: number; final?: boolean }) => Error
}

/**
 * A model behind a plug-in. `answer` makes one request and streams it: texts, calls, then one `end`; it throws when it fails. Retries, time-outs,
 * limits, prices and redaction are reeve's.
 */
export interface PluginModel {
  model: string
  /** Default: it calls tools, has no schemas and reads 128,000 tokens. */
  capabilities?: Partial<ModelProvider['capabilities']>
  /** `signal` ends it. `alive` says that the server is still there though there is nothing to tell. */
  answer(request: GenerateRequest, alive: () => void): AsyncIterable<RawEvent>
  /** Is it usable now? Costs nothing. */
  health?(signal: AbortSignal): Promise<{ ok: boolean; detail: string }>
}

/** A plug-in for a model: what its module exports as `plugin`. */
export interface ProviderPlugin {
  kind: 'provider'
  create(options: PluginOptions): PluginModel | Promise<PluginModel>
}

/** The provider over a plug-in's model. Throws `provider_key_missing`, and `invalid_config` where the plug-in throws. */
export async function createPluginProvider(
  plugin: ProviderPlugin,
  name: string,
  settings: ProviderSettings,
  deps: ProviderDeps,
): Promise<ModelProvider> {
  const options = pluginOptions(name, settings, deps)
  const made = await created(name, async () => await plugin.create(options))
  const redact = redactor(options.key === null ? [] : [options.key])
  const price = priceOf(made.model, settings)
  const clock = deps.clock ?? systemClock
  return {
    name,
    model: made.model,
    price,
    capabilities: { tools: true, schema: false, contextTokens: settings.context_tokens ?? CONTEXT_TOKENS, ...made.capabilities },
    generate: (request) =>
      withRetries(
        async function* (signal, alive) {
          try {
            yield* agreedEvents(made.answer({ ...request, signal }, alive))
          } catch (error) {
            const failure = classify(error, clock.now())
            throw new ProviderFailure(failure.class, redact(failure.message), failure)
          }
        },
        {
          ...retriesOf(settings, request, clock, deps.admission),
          limits: limitsFrom(settings),
          price: (tokens) => costOf(tokens, price),
        },
      ),
    health: async (signal) => (await made.health?.(signal)) ?? { ok: true, detail: 'The module is loaded; it says no more.' },
  }
}

/** The provider of the plug-in that the settings name. Throws `invalid_config`, also when the module exports an agent or something else. */
export async function openPluginProvider(name: string, settings: ProviderSettings, deps: ProviderDeps): Promise<ModelProvider> {
  const found = await loadPluginModule(name, settings, deps.projectRoot)
  const { kind, create } = (typeof found === 'object' && found !== null ? found : {}) as { kind?: unknown; create?: unknown }
  if (kind === 'provider' && typeof create === 'function') return createPluginProvider(found as ProviderPlugin, name, settings, deps)
  const problem = `"plugin" of "${settings.module ?? ''}" is not { kind: "provider", create(options) }`
  throw new ReeveError('invalid_config', { where: `providers.${name}.module`, problem })
}

/** What a plug-in makes. One that throws is a provider that cannot be used: the next one takes over. */
export async function created<T>(name: string, create: () => Promise<T>): Promise<T> {
  try {
    return await create()
  } catch (error) {
    throw new ReeveError('invalid_config', { where: `providers.${name}.module`, problem: `the plug-in has thrown: ${problemOf(error)}` })
  }
}

/** What a plug-in learns of the settings. Throws `provider_key_missing`. */
export function pluginOptions(name: string, settings: ProviderSettings, deps: Pick<ProviderDeps, 'env' | 'projectRoot'>): PluginOptions {
  const variable = settings.api_key_env
  const key = variable === undefined ? null : deps.env[variable]?.trim() || null
  if (variable !== undefined && key === null) throw new ReeveError('provider_key_missing', { provider: name, variable })
  return {
    name,
    key,
    model: settings.model ?? null,
    baseUrl: settings.base_url?.replace(/\/+$/, '') ?? null,
    options: settings.options,
    projectRoot: deps.projectRoot,
    fail: (kind, problem, more) => new ProviderFailure(kind, problem, more),
  }
}

/** The export `plugin` of a module, as it is. Throws `invalid_config`, which says what is wrong with it. */
export async function loadPluginModule(name: string, settings: ProviderSettings, projectRoot: string): Promise<unknown> {
  const where = `providers.${name}.module`
  const { module } = settings
  if (module === undefined) throw new ReeveError('invalid_config', { where, problem: 'a provider of kind "plugin" needs its module' })
  const isPath = module.startsWith('.') || isAbsolute(module)
  try {
    const at = isPath ? pathToFileURL(resolve(projectRoot, module)).href : packageOf(module, projectRoot)
    const loaded = await inTime(import(at) as Promise<{ plugin?: unknown }>)
    if (loaded.plugin !== undefined) return loaded.plugin
  } catch (error) {
    throw new ReeveError('invalid_config', { where, problem: `"${module}" cannot be loaded: ${problemOf(error)}` })
  }
  throw new ReeveError('invalid_config', { where, problem: `"${module}" exports nothing named "plugin"` })
}

/** A module may wait for ever before it is loaded. */
async function inTime<T>(loading: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`it is still loading after ${LOAD_MS / 1000} s`)), LOAD_MS)
  try {
    return await Promise.race([loading, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

const LOAD_MS = 10_000

/** The address of a package's module, as the project itself would find it: not beside reeve, wherever that is installed. */
function packageOf(module: string, projectRoot: string): string {
  const parentURL = pathToFileURL(`${projectRoot}/`).href
  const hooks = registerHooks({
    resolve: (wanted, context, next) => next(wanted, wanted === module ? { ...context, parentURL } : context),
  })
  try {
    return import.meta.resolve(module)
  } finally {
    hooks.deregister()
  }
}
