import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Detector } from './agents/cli/detect.ts'
import { createRouter } from './agents/router/router.ts'
import { createSandboxes, type Sandboxes } from './app-sandboxes.ts'
import type { Env, Folders } from './config/home.ts'
import { type Keyed, withKeyFile } from './config/key-file.ts'
import { providersOf, secretValues } from './config/secrets.ts'
import type { Clock } from './core/clock.ts'
import { ReeveError } from './core/errors.ts'
import { canonicalJson } from './core/json.ts'
import { redactAll } from './core/redact.ts'
import type { Role } from './core/role.ts'
import type { ProviderSettings, SandboxSettings, Settings } from './core/settings.ts'
import type { GateEvent } from './gates/port.ts'
import { createEnginePool } from './models/llamacpp/keep-engine.ts'
import type { Secrets } from './operations/context.ts'
import type { Sandbox } from './sandbox/port.ts'
import type { Kit } from './steps/kit.ts'
import type { Store } from './store/open.ts'
import type { Project } from './workspace/port.ts'

export interface KitsOptions {
  folders: Folders
  secrets: Secrets
  clock: Clock
  version: string
  /** Folder of the data files: roles, demo. */
  templates: string
  store: () => Promise<Store>
}

/** The tools that runs are worked on with: one kit per environment, since keys, proxies and the search path come from there. */
export interface Kits {
  of(env: Env): Kit
  close(): Promise<void>
}

// Terminals with an environment of their own that one daemon remembers at the same time.
const MOST_KITS = 32
const MOST_COMMITS = 100

export function createKits(options: KitsOptions): Kits {
  const kits = new Map<string, Kit>()
  // An environment is asked for in each request of its caller.
  const keys = new WeakMap<Env, string>()
  const sandboxes = createSandboxes((settings, env) => makeSandbox(settings, options.folders.cache, env), options.clock)
  const engines = createEnginePool()
  // What is in a commit stays as it is, and each submission asks for it.
  const roles = new Map<string, Promise<Map<string, Role>>>()
  const recorder = once(async () => {
    const { createRecorder } = await import('./models/recording/recorder.ts')
    return createRecorder({ evidenceDir: join(options.folders.data, 'evidence'), redact: options.secrets.redact, clock: options.clock })
  })

  function rolesOf(project: Project, commit: string): Promise<Map<string, Role>> {
    const key = `${project.gitDir} ${commit}`
    const known = roles.get(key) ?? rolesAt(options.templates, project, commit)
    if (roles.size >= MOST_COMMITS) roles.clear()
    roles.set(key, known)
    known.catch(() => roles.delete(key))
    return known
  }

  return {
    of(env) {
      const key = keys.get(env) ?? canonicalJson(env)
      keys.set(env, key)
      const known = kits.get(key) ?? makeKit(env, { ...options, engines, recorder, sandboxes, rolesOf })
      // Whoever was asked for last is kept longest.
      kits.delete(key)
      kits.set(key, known)
      if (kits.size > MOST_KITS) kits.delete(kits.keys().next().value ?? '')
      return known
    },
    async close() {
      await sandboxes.close()
      await engines.close()
    },
  }
}

interface Shared extends KitsOptions {
  engines: ReturnType<typeof createEnginePool>
  recorder: () => Promise<ReturnType<typeof import('./models/recording/recorder.ts').createRecorder>>
  sandboxes: Sandboxes
  rolesOf: Kit['roles']
}

function makeKit(env: Env, { folders, secrets, clock, version, store, engines, recorder, sandboxes, rolesOf }: Shared): Kit {
  const evidenceDir = join(folders.data, 'evidence')
  // Asking a program for its version may take a second: once is enough.
  const detector = once(async () => {
    const [{ createDetector }, { runProgram }] = await Promise.all([import('./agents/cli/detect.ts'), import('./process/run-program.ts')])
    return createDetector({ env, home: homedir(), run: runProgram })
  })
  const detect: Detector = async (...asked) => (await detector())(...asked)
  const agentDeps = { env, home: homedir(), evidenceDir, dataDir: folders.data, engines, redaction: secrets, clock, detect }
  const router = createRouter({ shared: async () => (await store()).routing, clock, env })
  return {
    clock,
    dataDir: folders.data,
    cacheDir: folders.cache,
    evidenceDir,
    judge: async (request) => {
      const { judge } = await import('./gates/create.ts')
      const emit = (event: GateEvent) => request.emit(redactAll(event, secrets.redact))
      return redactAll(await judge({ ...request, emit }), secrets.redact)
    },
    agent: async (name, settings, { root }, from = env) => {
      const keyed = await keyedIn(settings, name, from, secrets)
      const admission = router.admission(name, settings)
      const { createAgent } = await import('./agents/create.ts')
      const recording = settings.runs.record ? { recorder: await recorder() } : {}
      return createAgent(name, keyed.provider, settings, { ...agentDeps, env: keyed.env, projectRoot: root, admission, ...recording })
    },
    inspect: async (name, settings, { root }, { ask, signal }) => {
      const { inspectProvider } = await import('./agents/inspect.ts')
      try {
        const keyed = await keyedIn(settings, name, env, secrets)
        return await inspectProvider(name, keyed.provider, settings, { ...agentDeps, env: keyed.env, projectRoot: root, ask, signal })
      } catch (error) {
        if (!(error instanceof ReeveError) || error.code === 'provider_not_found') throw error
        return { ...UNKNOWN, detail: error.message, hint: error.hint ?? null }
      }
    },
    router,
    roles: rolesOf,
    sandbox: (settings) => sandboxes.of(settings.sandbox, env),
    env,
    home: homedir(),
    redact: secrets.redact,
    version,
  }
}

async function makeSandbox(settings: SandboxSettings, cache: string, env: Env): Promise<Sandbox> {
  const { createSandbox } = await import('./sandbox/create.ts')
  return createSandbox({ settings, folder: join(cache, 'sandbox'), env, realHome: homedir(), signal: new AbortController().signal })
}

const UNKNOWN = { ok: false, model: null, place: null, version: null, access: 'missing' as const }

/** A provider of the settings with its key at hand; from now on nothing that is secret about it is written. Throws `provider_not_found`, `invalid_config`. */
async function keyedIn(settings: Settings, name: string, env: Env, secrets: Secrets): Promise<Keyed> {
  secrets.learn(secretValues(settings, env))
  const keyed = await withKeyFile(name, configuredIn(settings, name), env)
  if (keyed.secret !== null) secrets.learn([keyed.secret])
  return keyed
}

/** Throws `provider_not_found`. */
function configuredIn(settings: Settings, name: string): ProviderSettings {
  const configured = providersOf(settings)
  const provider = configured.find(([it]) => it === name)?.[1]
  if (provider) return provider
  throw new ReeveError('provider_not_found', { provider: name, known: configured.map(([it]) => it).join(', ') || 'none' })
}

/** Built-in roles and the project's own, as they are at a commit. */
async function rolesAt(templatesDir: string, project: Project, commit: string): Promise<Map<string, Role>> {
  const [{ loadRoles }, { listFiles, showFile }] = await Promise.all([import('./agents/roles.ts'), import('./workspace/revisions.ts')])
  const readProjectFiles = async () => {
    const paths = (await listFiles(project, commit)).filter((it) => /^\.reeve\/roles\/[^/]+\.ya?ml$/.test(it))
    return Promise.all(paths.map(async (path) => ({ path, text: (await showFile(project, commit, path)) ?? '' })))
  }
  return loadRoles({ templatesDir, readProjectFiles })
}

/** Makes a value on first use; `begun` tells whether that was. */
export function once<T>(make: () => Promise<T>): (() => Promise<T>) & { begun(): boolean } {
  let made: Promise<T> | undefined
  return Object.assign(() => (made ??= make()), { begun: () => made !== undefined })
}
