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

export const PROVIDER_KINDS = ['openai-compatible', 'anthropic', 'openai', 'google', 'scripted'] as const
const providerSettings = z.strictObject({
  kind: z.enum(PROVIDER_KINDS),
  base_url: z.url().optional(),
  model: z.string().optional(),
  /** Name of the environment variable that holds the key. Never the key. */
  api_key_env: z.string().optional(),
  /** Extra request headers. `{run}`, `{step}`, `{role}`, `{task}`, `{attempt}` are replaced. */
  headers: header.default({}),
  /** For `scripted`: the YAML file of replies, from the project root. */
  file: z.string().optional(),
  max_tokens: z.int().positive().default(8192),
  temperature: z.number().min(0).max(2).optional(),
  request_timeout_seconds: z.number().positive().default(300),
  /** Silence in the stream longer than this is a failure. */
  idle_timeout_seconds: z.number().positive().default(60),
  max_retries: z.int().min(0).max(10).default(3),
  /** Tokens the model reads at most; counted roughly before the call. */
  context_tokens: z.int().positive().default(128_000),
  /** US dollars per million tokens; overrides the table of prices. */
  price: z.strictObject({ input: z.number(), output: z.number(), cached_input: z.number().optional() }).optional(),
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
      step_timeout_minutes: z.number().positive().default(15),
      gate_timeout_minutes: z.number().positive().default(10),
      /** Model steps (turns) of one agent at most; a role may say less. */
      max_steps: z.int().positive().default(60),
    })
    .prefault({}),
  sandbox: sandboxSettings.prefault({}),
  files: fileSettings.prefault({}),
  /** Files of the tests, as globs, where the usual places are not enough. */
  tests: z.strictObject({ files: z.array(z.string()).default([]) }).prefault({}),
})
export type Settings = z.infer<typeof settingsSchema>
