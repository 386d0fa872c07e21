import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Detector } from './agents/cli/detect.ts'
import { createRouter } from './agents/router/router.ts'
import { type Client, createClient } from './client/client.ts'
import { type Env, reeveFolders } from './config/home.ts'
import { type Keyed, withKeyFile } from './config/key-file.ts'
import { providersOf, secretValues } from './config/secrets.ts'
import { systemClock } from './core/clock.ts'
import { ReeveError } from './core/errors.ts'
import { canonicalJson } from './core/json.ts'
import { redactAll } from './core/redact.ts'
import type { Role } from './core/role.ts'
import type { ProviderSettings, SandboxSettings, Settings } from './core/settings.ts'
import type { Workflow } from './engine/port.ts'
import type { GateEvent } from './gates/port.ts'
import { createEnginePool } from './models/llamacpp/keep-engine.ts'
import type { Context, Host, Secrets } from './operations/context.ts'
import { invoke, open } from './operations/invoke.ts'
import type { Operation, Stream } from './operations/operation.ts'
import { createSecrets } from './operations/secrets.ts'
import { OPERATIONS, STREAMS } from './operations/table.ts'
import type { Sandbox } from './sandbox/port.ts'
import type { Kit } from './steps/kit.ts'
import type { Store } from './store/open.ts'
import type { Project } from './workspace/port.ts'

export interface AppOptions {
  env: Env
  cwd: string
  version: string
  /** Program and arguments that start this reeve again. */
  self: readonly [string, ...string[]]
  /** Folder of the data files: roles, demo. */
  templates: string
  /** Called once before this process starts programs of a run; the bin closes what it inherited open. */
  beforeWork?: () => void
  /** Workflows of the caller's own, besides the built-in ones. */
  workflows?: Readonly<Record<string, Workflow>>
}

const WORKFLOWS = ['build', 'direct'] as const

/**
 * Builds everything, from top to bottom, and gives the client of it. What is heavy is loaded when it is first needed: most commands need the
 * store only.
 */
export function openApp(options: AppOptions): Client {
  const { env, cwd, version } = options
  const clock = systemClock
  const folders = reeveFolders(env, homedir())
  const secrets = createSecrets(env)
  const store = once(async () => (await import('./store/open.ts')).openStore(folders.state, { redact: secrets.redact }))

  // Measuring takes a tenth of a second, and the answer is the same as long as the settings are.
  const sandboxes = new Map<string, Promise<Sandbox>>()
  const sandboxOf = (settings: SandboxSettings): Promise<Sandbox> => {
    const key = canonicalJson(settings)
    const known = sandboxes.get(key) ?? makeSandbox(settings, folders.cache, env)
    sandboxes.set(key, known)
    // What went wrong once may go right the next time; whoever waits for it is told.
    known.catch(() => sandboxes.delete(key))
    return known
  }
  const evidenceDir = join(folders.data, 'evidence')
  const engines = createEnginePool()
  // Asking a program for its version may take a second: once is enough.
  const detector = once(async () => {
    const [{ createDetector }, { runProgram }] = await Promise.all([import('./agents/cli/detect.ts'), import('./process/run-program.ts')])
    return createDetector({ env, home: homedir(), run: runProgram })
  })
  const detect: Detector = async (...asked) => (await detector())(...asked)
  const recorder = once(async () => {
    const { createRecorder } = await import('./models/recording/recorder.ts')
    return createRecorder({ evidenceDir, redact: secrets.redact, clock })
  })
  const agentDeps = { env, home: homedir(), evidenceDir, dataDir: folders.data, engines, redaction: secrets, clock, detect }
  const router = createRouter({ shared: store, clock, env })
  const kit: Kit = {
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
    roles: (project, commit) => rolesAt(options.templates, project, commit),
    sandbox: (settings) => sandboxOf(settings.sandbox),
    env,
    home: homedir(),
    redact: secrets.redact,
    version,
  }
  const context: Context = {
    clock,
    env,
    folders,
    cwd,
    actor: userName(env),
    version,
    self: options.self,
    templates: options.templates,
    workflows: [...WORKFLOWS, ...Object.keys(options.workflows ?? {})],
    kit,
    secrets,
    store,
    host: createHost(kit, store, options),
  }
  return createClient({
    invoke: (name, input, signal) => invoke(OPERATIONS[name] as unknown as Operation, context, input, signal),
    open: (name, input, signal) => open(STREAMS[name] as unknown as Stream, context, input, signal),
    async close() {
      for (const it of sandboxes.values()) await it.then((sandbox) => sandbox.close()).catch(() => undefined) // it was never in force
      await engines.close()
      if (store.begun()) await (await store()).close()
    },
  })
}

/** An engine of this process's own for the runs it is asked to work on. */
function createHost(kit: Kit, store: () => Promise<Store>, { workflows: own = {}, beforeWork }: AppOptions): Host {
  return {
    async work(runs, { concurrency, signal, onActivate }) {
      beforeWork?.()
      const [{ createEngine }, { createBuild }, { createDirect }, { sweepRun }] = await Promise.all([
        import('./engine/engine.ts'),
        import('./workflows/build.ts'),
        import('./workflows/direct.ts'),
        import('./process/sweep.ts'),
      ])
      const engine = createEngine({
        store: await store(),
        workflows: { ...own, build: createBuild(kit), direct: createDirect(kit) },
        concurrency,
        onActivate: async (row) => {
          onActivate(row.id)
          // What a dead process left running would write into the workspace behind our back.
          await sweepRun(row.id)
        },
      })
      try {
        await engine.start({ only: new Set(runs) })
        await Promise.all(runs.map((it) => engine.waitFor(it, signal)))
      } catch (error) {
        if (!signal.aborted) throw error
      } finally {
        await engine.stop()
      }
    },
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

function userName(env: Env): string {
  try {
    return userInfo().username
  } catch {
    // A container may run as a user without a name.
    return env['USER'] ?? 'somebody'
  }
}

/** Makes a value on first use; `begun` tells whether that was. */
function once<T>(make: () => Promise<T>): (() => Promise<T>) & { begun(): boolean } {
  let made: Promise<T> | undefined
  return Object.assign(() => (made ??= make()), { begun: () => made !== undefined })
}
