import { homedir, userInfo } from 'node:os'
import { type Audit, createAudit } from './access/audit.ts'
import { createResident, foregroundHost, type HostOptions, type Resident, type ResidentOptions } from './app-host.ts'
import { createKits, once } from './app-kit.ts'
import { type Client, createClient, type Gateway } from './client/client.ts'
import { type Env, type Folders, reeveFolders } from './config/home.ts'
import { localUser } from './core/actor.ts'
import { systemClock } from './core/clock.ts'
import type { Redact } from './core/redact.ts'
import type { Workflow } from './engine/port.ts'
import type { Caller, Context } from './operations/context.ts'
import { invoke, open } from './operations/invoke.ts'
import type { Operation, Stream } from './operations/operation.ts'
import { createSecrets, secretsOf } from './operations/secrets.ts'
import { OPERATIONS, STREAMS } from './operations/table.ts'
import type { Store } from './store/open.ts'

export interface AppOptions {
  /** Environment of this process. */
  env: Env
  version: string
  /** Program and arguments that start this reeve again. */
  self: readonly [string, ...string[]]
  /** Folder of the data files: roles, demo. */
  templates: string
  /** Called once before this process starts programs of a run; the bin closes what it inherited open. */
  beforeWork?: () => Promise<void>
  /** Workflows of the caller's own, besides the built-in ones. */
  workflows?: Readonly<Record<string, Workflow>>
}

/** The product, built once per process. */
export interface App extends Gateway {
  readonly folders: Folders
  /** The operations as one caller has them. Closing such a client closes nothing. */
  as(caller: Caller): Client
  /** From now on this process works on all runs of the data folder. Once, by the daemon. */
  reside(options: ResidentOptions): Promise<Resident>
  store(): Promise<Store>
  /** The record of what was asked for, for those who ask before there is a call. */
  audit: Audit
  /** Takes out of a text what is secret. */
  redact: Redact
  close(): Promise<void>
}

const WORKFLOWS = ['build', 'direct'] as const

/**
 * Builds everything, from top to bottom. What is heavy is loaded when it is first needed: most commands need the store only.
 */
export function createApp(options: AppOptions): App {
  const { env, version, workflows = {} } = options
  const clock = systemClock
  const folders = reeveFolders(env, homedir())
  const secrets = createSecrets(env)
  const store = once(async () => (await import('./store/open.ts')).openStore(folders.state, { redact: secrets.redact }))
  const audit = createAudit({ store, clock })
  const kits = createKits({ folders, secrets, clock, version, templates: options.templates, store })
  const hosting: HostOptions = { kits, store, secrets, folders, workflows, beforeWork: options.beforeWork }
  const learned = new WeakSet<Env>()
  let resident: Resident | null = null

  function contextOf(caller: Caller): Context {
    const its = caller.env ?? env
    if (!learned.has(its)) secrets.learn(secretsOf(its))
    learned.add(its)
    return {
      clock,
      env: its,
      folders,
      cwd: caller.cwd,
      actor: caller.actor.name,
      caller: caller.actor,
      via: caller.via ?? 'cli',
      ...(caller.trace === undefined ? {} : { trace: caller.trace }),
      audit,
      named: new Map(),
      version,
      self: options.self,
      templates: options.templates,
      workflows: [...WORKFLOWS, ...Object.keys(workflows)],
      kit: kits.of(its),
      secrets,
      store,
      host: resident === null ? foregroundHost(hosting, its) : resident.hostFor(caller.env),
    }
  }

  return {
    folders,
    as(caller) {
      return createClient(
        {
          invoke: (name, input, signal) => invoke(OPERATIONS[name] as unknown as Operation, contextOf(caller), input, signal),
          open: (name, input, signal) => open(STREAMS[name] as unknown as Stream, contextOf(caller), input, signal),
          close: async () => undefined,
        },
        { resident: resident !== null },
      )
    },
    async reside(how) {
      resident = await createResident(hosting, how)
      return resident
    },
    store,
    audit,
    redact: secrets.redact,
    async close() {
      await kits.close()
      // Whoever asked for one that could not be opened was told then.
      if (store.begun()) await (await store().catch(() => null))?.close()
    },
  }
}

/** The product for the person at this machine, in this process: closing the client closes it all. */
export function openApp({ cwd, ...options }: AppOptions & { cwd: string }): Client {
  const app = createApp(options)
  const client = app.as({ actor: localUser(userName(options.env)), cwd, env: null })
  return { ...client, close: () => app.close() }
}

export function userName(env: Env): string {
  try {
    return userInfo().username
  } catch {
    // A container may run as a user without a name.
    return env['USER'] ?? 'somebody'
  }
}
