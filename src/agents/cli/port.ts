import type { CliKind } from '../../core/settings.ts'
import type { ProviderErrorClass } from '../../models/port.ts'

/** The one type of event that every CLI agent's output becomes, also by ACP. `end` comes once and last, from the runner. */
export type CliEvent =
  | { t: 'started'; session?: string; model?: string; version?: string }
  /** `final`: the whole of its answer, not a piece of it. */
  | { t: 'text'; text: string; final?: boolean }
  | { t: 'thinking'; text: string }
  | {
      t: 'tool'
      id: string
      phase: 'start' | 'end'
      kind: 'read' | 'edit' | 'execute' | 'search' | 'mcp' | 'other'
      name: string
      /** The file, the command: what a person wants to see of the call. */
      target?: string
      ok?: boolean
      output?: string
    }
  /** A call that the agent's own permissions refused. */
  | { t: 'denied'; tool: string; target: string }
  /** `turn`: adds up; `total`: replaces what was known. Input includes what came from the cache. */
  | { t: 'usage'; scope: 'turn' | 'total'; input: number; output: number; cached?: number; written?: number; costUsd?: number }
  /** The CLI tries its provider again by itself. */
  | { t: 'retry'; class: ProviderErrorClass; problem: string; status?: number; delayMs?: number }
  /** It says that it failed. Several may come; the last one with a class counts. */
  | { t: 'error'; class: ProviderErrorClass | null; problem: string; status?: number; retryAfterMs?: number }
  /** Its own terminal event of success: without one nothing is completed. */
  | { t: 'success'; text?: string; turns?: number }
  /** A limit of its own was reached: turns, money. */
  | { t: 'limit'; problem: string }
  | { t: 'notice'; level: 'info' | 'warning'; text: string }

/** Where the model's requests go. */
export interface Endpoint {
  /** As the program sees it, without a final "/" and without the API's own path (`/v1`). */
  baseUrl: string
  /** The key to send there: of reeve's own proxy, or the provider's. */
  key: string
}

/** Everything an adapter needs to say how its program is started. */
export interface CliRequest {
  prompt: string
  /** A file with the same text, for programs that take no input. */
  promptFile: string
  model: string | null
  /** null: by the user's own log-in, at the maker's own server. */
  endpoint: Endpoint | null
  /** Id of this session: the adapter's `session` says who makes it. `resume`: it is one that was begun before. */
  session: string
  resume: boolean
  /** What the role may do. */
  write: boolean
  commands: boolean
  /** Held by our own operating-system sandbox: one of the program's own is not put into it. */
  confined: boolean
  /** Folder it works in, and its home. Absolute. */
  cwd: string
  home: string
  limits: { turns: number; usd: number | null }
  /** Seconds without a byte from the model after which it should give up, where it can be told. */
  idleSeconds: number
  maxTokens: number
  contextTokens: number
  /** Arguments of the user's own, put after the adapter's. */
  args: readonly string[]
}

export interface CliCommand {
  args: readonly string[]
  /** null: no input (`/dev/null`). */
  input: string | null
  env: Readonly<Record<string, string>>
  /** Files of its home that are written before it starts. Paths relative to the home. */
  files: readonly { path: string; text: string }[]
  /** Environment that holds secrets: handed over apart. */
  secrets: Readonly<Record<string, string>>
}

/** Reads the output of one process, line by line; state is the reader's own. Must not throw: what it does not know is nothing. */
export interface CliReader {
  line(text: string, stream: 'stdout' | 'stderr'): CliEvent[]
  /** The process has ended: what its exit code and last words mean, where its events did not say. */
  exited(exit: { code: number | null; signal: string | null; stderr: string }): CliEvent[]
}

/** What speaks to the model: decides how a proxy reads usage and errors. */
export type WireDialect = 'anthropic' | 'openai-responses' | 'openai-chat' | 'google'

/**
 * One CLI agent. Everything here is pure, the process is the runner's (`agent.ts`). Reference adapter: `claude.ts`. A new one is a new file, one
 * line in `adapters.ts`, recorded samples, and the green conformance suite.
 */
export interface CliAdapter {
  readonly kind: CliKind
  /** Name of the program on the search path. */
  readonly binary: string
  /** First and last version whose output was recorded: `2.1.328`. null: never run here. */
  readonly tested: { from: string; to: string } | null
  readonly experimental: boolean
  /** Where its requests go with a key, and which variables hold that; null: it takes no address of ours. */
  readonly api: { baseUrl: string; dialect: WireDialect; keyVariables: readonly string[] } | null
  /** The user's own log-in: files and folders below the home that hold it, and the hosts it needs. */
  readonly login: {
    paths: readonly string[]
    hosts: readonly string[]
    /** Arguments that make it say by its exit code whether the user is logged in, 0 for yes, without a call of a model. */
    status?: readonly string[]
  } | null
  /** Who makes the id of a session: it takes ours, or tells its own. `none`: it cannot go on with one. */
  readonly session: 'ours' | 'theirs' | 'none'
  /** How it is asked to speak the Agent Client Protocol, where it does. */
  readonly acp: {
    args: readonly string[]
    env?: Readonly<Record<string, string>>
    /** Option that names the model, such as "-m". */
    modelFlag?: string
    /** Id of the mode of work that is asked for, where it has several. */
    mode?: { write: string; read: string }
  } | null
  /**
   * Folders and files of a project, from its root, whose programs it would start unasked and cannot be told not to: they are not shown to it.
   * Where nothing can hide them, it does not start while they are there.
   */
  readonly unasked?: readonly string[]
  /**
   * What the runner has to know. `ownSessions`: children leave its process group. `quiet`: `calls` are told when they have ended, or `all` is
   * told at the end, so that silence means nothing.
   */
  readonly quirks?: { ownSessions?: boolean; exitZeroAlways?: boolean; quiet?: 'calls' | 'all' }
  command(request: CliRequest): CliCommand
  reader(): CliReader
}
