import { z } from 'zod'
import { ISOLATION_LEVELS } from './isolation.ts'

/** `reeve.toml` as a schema. Every key has a default, so that an empty file is a working configuration. Loading and layers: `config/`. */
const header = z.record(z.string(), z.string())

const gateSettings = z.strictObject({
  /** A command line, run by `sh -c` in the project (or `cwd`). */
  command: z.string().min(1).optional(),
  cwd: z.string().optional(),
  /** false: never run this gate. */
  enabled: z.boolean().default(true),
  timeout_seconds: z.number().positive().optional(),
  /** Report file the command writes, when it does: read instead of the exit code alone. */
  report: z.string().optional(),
  report_format: z.enum(['junit', 'tap', 'lcov', 'cobertura', 'sarif']).optional(),
})
export type GateSettings = z.infer<typeof gateSettings>

const coverageSettings = gateSettings.extend({
  /** Percent of changed lines that tests must reach. */
  threshold: z.number().min(0).max(100).default(80),
  /** What happens below the threshold. */
  below: z.enum(['warning', 'failure']).default('warning'),
})

/** Answer one call of a model: our own agents work over them. */
export const MODEL_KINDS = ['anthropic', 'openai', 'google', 'openai-compatible', 'ollama', 'llamacpp', 'scripted', 'replay'] as const
/** Programs that are agents themselves. `command`: any other one, described by its settings. */
export const CLI_KINDS = [
  'claude',
  'codex',
  'gemini',
  'opencode',
  'qwen',
  'copilot',
  'cursor-agent',
  'pi',
  'cn',
  'cline',
  'droid',
  'command',
] as const
export type CliKind = (typeof CLI_KINDS)[number]
/** Is the agent of this kind a program of its own, known or described by its settings? */
export function isCliKind(kind: string): kind is CliKind {
  return CLI_KINDS.some((it) => it === kind)
}
/** `acp`: any agent that speaks the Agent Client Protocol. `plugin`: a module of the user's own. */
export const PROVIDER_KINDS = [...MODEL_KINDS, ...CLI_KINDS, 'acp', 'plugin'] as const
export type ProviderKind = (typeof PROVIDER_KINDS)[number]
/** What an openai-compatible server is, where its extras matter. */
export const DIALECTS = ['llama-server', 'ollama', 'lmstudio', 'localai', 'textgen', 'generic'] as const
export type Dialect = (typeof DIALECTS)[number]

const priceSettings = z.strictObject({
  input: z.number().min(0),
  output: z.number().min(0),
  cached_input: z.number().min(0).optional(),
  cache_write: z.number().min(0).optional(),
})

const providerSettings = z.strictObject({
  kind: z.enum(PROVIDER_KINDS),
  base_url: z.url().optional(),
  /** It stands on command lines. */
  model: z
    .string()
    .regex(/^(?!-)/, 'a name that does not begin with "-"')
    .optional(),
  /** Name of the environment variable that holds the key. Never the key. */
  api_key_env: z.string().optional(),
  /** File that holds the key and nothing else, readable by you alone: absolute, or from `~/`. */
  api_key_file: z.string().optional(),
  /** Extra request headers. `{run}`, `{step}`, `{role}`, `{task}`, `{attempt}` are replaced. */
  headers: header.default({}),
  /** `scripted`: YAML file of replies; `replay`: a cassette or the id of a recorded run; `llamacpp`: a GGUF file, or the name of an added model. */
  file: z.string().optional(),
  /** `plugin`: the module, a path from the project root or the name of a package. */
  module: z.string().min(1).optional(),
  /** `plugin`: handed to the module as it is. Never secrets. */
  options: z.record(z.string(), z.json()).default({}),
  max_tokens: z.int().positive().default(8192),
  temperature: z.number().min(0).max(2).optional(),
  request_timeout_seconds: z.number().positive().default(300),
  /** Silence longer than this is a failure. Unset: 45, for a CLI agent whose traffic is not seen 120. */
  idle_timeout_seconds: z.number().positive().optional(),
  /** Silence before the first byte of an answer. Unset: as `idle_timeout_seconds`; for local engines, which read a long prompt first, 300. */
  first_byte_timeout_seconds: z.number().positive().optional(),
  max_retries: z.int().min(0).max(10).default(3),
  /** No more tries of one call after this time: the next provider takes over. */
  give_up_seconds: z.number().positive().default(45),
  /** Tokens the model reads at most; counted roughly before the call. Unset: what the server says, else 128,000. */
  context_tokens: z.int().positive().optional(),
  /** US dollars per million tokens; overrides the table of prices. */
  price: priceSettings.optional(),
  /** `tools`: the model calls tools. `proposals`: it answers with data (what to read, what to change) that reeve applies. Unset: by the kind and what the server can do. */
  style: z.enum(['tools', 'proposals']).optional(),
  /** `openai-compatible`: what the server is. Unset: asked once. */
  dialect: z.enum(DIALECTS).optional(),
  /** `ollama`: how long the model stays loaded, such as "10m". */
  keep_alive: z.string().optional(),
  /** `llamacpp`: limits of the engine's process. */
  threads: z.int().positive().optional(),
  memory_mb: z.int().positive().default(8192),
  load_timeout_seconds: z.number().positive().default(120),

  /** CLI agents and `acp`: the program, a name on the search path or an absolute path. */
  binary: z.string().min(1).optional(),
  /** More arguments, after reeve's own; for `command` and `acp` all of them. `{model}`, `{prompt}`, `{prompt_file}`, `{session}` are replaced. */
  args: z.array(z.string()).default([]),
  /** How a CLI agent is driven: once per step, or by the Agent Client Protocol where it speaks that. */
  mode: z.enum(['batch', 'acp']).default('batch'),
  /** Use the log-in of the user's own CLI: its credential folder is shown to it, and it talks to its maker directly. */
  login: z.boolean().default(false),
  /** Let a CLI agent's requests pass reeve's own proxy, which holds the key. `false`: it is given the key itself, and talks to `base_url`. */
  meter: z.boolean().default(true),
  /** More environment variables of the program; never secrets. */
  env: z.record(z.string(), z.string()).default({}),
  /** Names of environment variables that the program is given as they are, such as a second key. */
  secrets_env: z.array(z.string()).default([]),
  /** Hosts (`name` or `name:port`) that the program may reach besides its provider's. */
  hosts: z.array(z.string()).default([]),
  /** `command`: how the prompt goes in, and how the result comes out. `json`: one object, see `result`. `lines`: one JSON object a line. */
  prompt: z.enum(['stdin', 'argument', 'file']).default('stdin'),
  output: z.enum(['text', 'json', 'lines']).default('text'),
  /** `command` with `json` or `lines`: dotted paths of fields, such as `{ text = "result.text", session = "session_id", input_tokens = "usage.input" }`. */
  result: z.partialRecord(z.enum(['text', 'session', 'error', 'input_tokens', 'output_tokens', 'cost_usd']), z.string()).optional(),

  /** Providers of the same account share its limits. Unset: the provider's own name. */
  account: z.string().optional(),
  /** Requests at the same time, over all runs and processes. */
  max_concurrent: z.int().positive().optional(),
  requests_per_minute: z.int().positive().optional(),
  tokens_per_minute: z.int().positive().optional(),
  /** Requests that may go at once; unset: all of a minute's. */
  burst: z.int().positive().optional(),
  /** Higher is asked first, before the order. */
  priority: z.int().default(0),
  /** After so many failures in a row a provider is left alone for a while. */
  breaker: z.strictObject({ failures: z.int().positive().default(5), recovery_seconds: z.number().positive().default(60) }).prefault({}),
})
export type ProviderSettings = z.infer<typeof providerSettings>

/**
 * Defaults hold what builds of ordinary projects need; a small task needs far less. All count for a run's programs
 * together, what is written for each checkout of a run, unless they say otherwise.
 */
const limitSettings = z.strictObject({
  /** A type checker or a C++ compiler takes 1 to 3 GB. */
  memory_mb: z.int().min(64).default(4096),
  /** Threads count too: one Node has a dozen, parallel builds and test runners start hundreds. */
  processes: z.int().min(32).default(512),
  /** Of one process. */
  open_files: z.int().min(64).default(4096),
  /** Of one file. */
  file_size_mb: z.int().positive().default(2048),
  /** What the run's folders may grow by. */
  disk_mb: z.int().positive().default(8192),
  /** Files and folders that may be added; installs of large projects bring 100,000 and have a limit of their own, `install_files`. */
  files: z.int().min(100).default(50_000),
  install_files: z.int().min(100).default(500_000),
  /** The private `/tmp` of each program, in memory. */
  tmp_mb: z.int().positive().default(1024),
  shared_memory_mb: z.int().positive().default(256),
  /** 100 is one processor. Unset: programs of runs have low priority and no fixed share. */
  cpu_percent: z.int().min(1).optional(),
  /** Processor seconds of one command with all it starts. */
  cpu_seconds: z.int().positive().default(3600),
  /** Output of one command. */
  output_mb: z.int().positive().default(256),
})
export type LimitSettings = z.infer<typeof limitSettings>

const sandboxSettings = z.strictObject({
  /** How programs of runs are held: `auto` takes the strongest this machine has (not a container, which needs an image). */
  level: z.enum(['auto', ...ISOLATION_LEVELS]).default('auto'),
  /**
   * Below this level a run does not start. Unset: `os-sandbox` where an agent may run commands or write code, `guarded` where it may not and
   * in a `manual` run. A project's own file may raise it, never lower it.
   */
  minimum: z.enum(ISOLATION_LEVELS).optional(),
  /** More folders and files programs may read, such as a toolchain below your home. Only from your own configuration. */
  read: z.array(z.string()).default([]),
  /** More hosts (`name` or `name:port`) that setup commands may reach, besides the registries the lockfiles name. */
  hosts: z.array(z.string()).default([]),
  /** The same for hosts with a private address, such as a registry in your own network. Only from your own configuration. */
  private_hosts: z.array(z.string()).default([]),
  /** May packages run scripts of their own while they are installed? */
  install_scripts: z.boolean().default(false),
  /** Image for `container`. */
  image: z.string().optional(),
  limits: limitSettings.prefault({}),
})
export type SandboxSettings = z.infer<typeof sandboxSettings>

/**
 * What agents may do with files through reeve's own tools, whatever their role. Commands that they start are not asked: the sandbox and the
 * gates hold those.
 */
const fileSettings = z.strictObject({
  /** Of one file that is read or written. */
  max_size_mb: z.number().positive().max(256).default(10),
  /** Files that one agent may write or delete in one step. A wide rename touches a few hundred; an agent gone wild does not stop there. */
  max_files: z.int().positive().default(500),
  /** Extensions that may be written, such as `[".ts", ".md"]`; empty: all. A file without an extension is named whole: `"Makefile"`. */
  extensions: z.array(z.string().regex(/^[^/\s*]+$/, 'an extension such as ".ts", or the name of a file')).default([]),
  /** Globs of files that are neither read, listed, searched nor written: what usually holds secrets. */
  forbidden: z
    .array(z.string().min(1))
    .default(['.env', '.env.local', '.env.*.local', '.netrc', '*.pem', '*.p12', '*.pfx', 'id_rsa', 'id_ecdsa', 'id_ed25519']),
})
export type FileSettings = z.infer<typeof fileSettings>

export const settingsSchema = z.strictObject({
  project: z
    .strictObject({
      /** Branch or commit runs begin from; the current HEAD when absent. */
      base: z.string().optional(),
      setup: z.array(z.string()).default([]),
      /** Paths (globs) no agent may change, besides reeve's own list. */
      protected: z.array(z.string()).default([]),
    })
    .prefault({}),
  gates: z
    .object({
      build: gateSettings.optional(),
      tests: gateSettings.optional(),
      lint: gateSettings.optional(),
      types: gateSettings.optional(),
      coverage: coverageSettings.prefault({}),
    })
    .catchall(gateSettings)
    .prefault({}),
  providers: z
    .object({ order: z.array(z.string()).default([]) })
    .catchall(providerSettings)
    .prefault({}),
  runs: z
    .strictObject({
      workflow: z.string().default('build'),
      max_attempts: z.int().min(1).max(20).default(3),
      /**
       * How far a run goes by itself: `manual` asks after the plan and before landing, `supervised` before landing, `autonomous` only when a
       * risk rule says so. Unset: supervised, where your `reeve land` is the yes, so the run ends at its verdict and asks nothing.
       */
      autonomy: z.enum(['manual', 'supervised', 'autonomous']).optional(),
      timeout_minutes: z.number().positive().default(30),
      max_concurrent: z.int().min(1).max(64).default(3),
      /** How a green run lands by itself, after its approval. Unset: `branch` where `autonomy` is set, else `none`: you call `reeve land`. */
      land: z.enum(['none', 'branch', 'merge', 'squash']).optional(),
      refine: z.boolean().default(false),
      /** Budget of a run. */
      max_usd: z.number().positive().optional(),
      max_tokens: z.int().positive().optional(),
      /** Money that one attempt, with its review, and one step may use; reserved before it begins. Unset: what the run has left. */
      max_attempt_usd: z.number().positive().optional(),
      max_step_usd: z.number().positive().optional(),
      /** Keep every exchange with a provider, so that it can be replayed. */
      record: z.boolean().default(false),
      step_timeout_minutes: z.number().positive().default(15),
      gate_timeout_minutes: z.number().positive().default(10),
      /** Model steps (turns) of one agent at most; a role may say less. */
      max_steps: z.int().positive().default(60),
    })
    .prefault({}),
  /** Which providers a role asks first, before its own preferences and the order. */
  routing: z.strictObject({ roles: z.record(z.string(), z.array(z.string())).default({}) }).prefault({}),
  /** How model APIs are reached. Only from your own configuration. */
  network: z
    .strictObject({
      /** Unset: `HTTPS_PROXY`, `HTTP_PROXY` of the environment. */
      proxy: z.url().optional(),
      no_proxy: z.array(z.string()).default([]),
      /** PEM file of authorities that are trusted besides the usual ones. */
      ca_bundle: z.string().optional(),
      connect_timeout_seconds: z.number().positive().default(10),
    })
    .prefault({}),
  /** US dollars per million tokens, by model: overrides the built-in table. */
  prices: z.record(z.string(), priceSettings).default({}),
  sandbox: sandboxSettings.prefault({}),
  files: fileSettings.prefault({}),
  /** The daemon of this data folder. Only from your own configuration. */
  daemon: z
    .strictObject({
      /** Address of the HTTP server; beyond this machine it needs TLS and API keys. */
      host: z.string().min(1).default('127.0.0.1'),
      /** Where it is taken, another free one; `reeve daemon status` says which. */
      port: z.int().min(0).max(65_535).default(7433),
      tls_cert: z.string().optional(),
      tls_key: z.string().optional(),
      /** Names under which it is reached, besides its address: what requests may say in `Host`. */
      hosts: z.array(z.string()).default([]),
      /** One that a command has started ends by itself after so long without a run at work, a waiting schedule or a client. */
      idle_minutes: z.number().positive().default(15),
      /** How long a stop waits for steps at work to end before they are begun again by the next one. */
      drain_seconds: z.number().min(0).default(20),
      log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
      log_size_mb: z.number().positive().default(10),
      log_files: z.int().min(1).max(100).default(5),
      /** Requests of one caller in any minute. */
      requests_per_minute: z.int().positive().default(1200),
    })
    .prefault({}),
  /** Which queued runs start. Only from your own configuration. */
  queue: z
    .strictObject({
      /** Runs at work at the same time, of all projects; each project has `runs.max_concurrent` besides. */
      max_concurrent: z.int().min(1).max(256).default(8),
      /** The same for the runs of a role, and for those that ask for a provider. */
      roles: z.record(z.string(), z.int().positive()).default({}),
      providers: z.record(z.string(), z.int().positive()).default({}),
    })
    .prefault({}),
  /** Who is told of events. Only from your own configuration. */
  webhooks: z
    .record(
      z.string(),
      z.strictObject({
        url: z.url({ protocol: /^https?$/ }),
        /** Types of events, `run.*` for all of a kind. */
        events: z.array(z.string().min(1)).default(['run.finished', 'run.waiting', 'approval.asked']),
        /** Roots of the projects it is told of; empty: all. */
        projects: z.array(z.string()).default([]),
        /** Name of the variable that holds the key of the signatures. */
        secret_env: z.string().optional(),
        timeout_seconds: z.number().positive().max(60).default(10),
        /** Tries of one delivery, with growing pauses. */
        max_tries: z.int().min(1).max(20).default(8),
      }),
    )
    .default({}),
  /** Traces to an OpenTelemetry collector. Only from your own configuration. */
  telemetry: z
    .strictObject({
      /** Where traces go by OTLP over HTTP, such as `http://127.0.0.1:4318`. Unset: nowhere. */
      otlp_endpoint: z.url({ protocol: /^https?$/ }).optional(),
    })
    .prefault({}),
  /** What programs may do by the tools of the MCP server. Only from your own configuration. */
  mcp: z
    .strictObject({
      /** May a program say yes to what a run asks, with no person shown the question? */
      approve: z.boolean().default(false),
    })
    .prefault({}),
  /** Files of the tests, as globs, where the usual places are not enough. */
  tests: z.strictObject({ files: z.array(z.string()).default([]) }).prefault({}),
})
export type Settings = z.infer<typeof settingsSchema>
