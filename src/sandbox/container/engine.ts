import { z } from 'zod'
import { problemOf } from '../../core/errors.ts'
import { parseJson } from '../../core/json.ts'
import type { ProgramResult } from '../../process/port.ts'
import { runProgram } from '../../process/run-program.ts'
import { which } from '../../process/which.ts'

export const ENGINE_KINDS = ['podman', 'docker'] as const
export type EngineKind = (typeof ENGINE_KINDS)[number]

/** A container engine that answers, spoken to by its command line. */
export interface Engine {
  kind: EngineKind
  /** Of its program. */
  path: string
  version: string
  /** false: what starts the containers has the rights of the system's administrator. */
  rootless: boolean
  /** What it can really limit for a container; the engines ignore the rest with a warning. */
  limits: { memory: boolean; processes: boolean; cpu: boolean; swap: boolean }
  selinux: boolean
  /** File of its own system call filter, where it lets namespaces be made; null: it has one that does not. */
  filter: string | null
  /** Environment of its program: where it finds its store, its socket and its configuration. */
  env: Readonly<Record<string, string>>
}

// A daemon that is just waking up takes seconds.
const ANSWER_MS = 20_000

const ENGINE_VARIABLES = [
  'HOME PATH USER LOGNAME TMPDIR XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME DBUS_SESSION_BUS_ADDRESS',
  'DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG DOCKER_CERT_PATH DOCKER_TLS_VERIFY DOCKER_API_VERSION',
  'CONTAINER_HOST CONTAINER_CONNECTION CONTAINER_SSHKEY CONTAINERS_CONF CONTAINERS_CONF_OVERRIDE CONTAINERS_STORAGE_CONF',
  'CONTAINERS_REGISTRIES_CONF STORAGE_DRIVER STORAGE_OPTS',
].flatMap((line) => line.split(' '))

const podmanInfo = z.object({
  host: z.object({
    cgroupVersion: z.string(),
    cgroupControllers: z
      .array(z.string())
      .nullish()
      .transform((it) => it ?? []),
    security: z.object({
      rootless: z.boolean(),
      selinuxEnabled: z.boolean().default(false),
      seccompProfilePath: z.string().default(''),
    }),
  }),
  version: z.object({ Version: z.string() }),
})

const dockerInfo = z.object({
  ServerVersion: z.string().min(1),
  SecurityOptions: z
    .array(z.string())
    .nullish()
    .transform((it) => it ?? []),
  MemoryLimit: z.boolean().default(false),
  SwapLimit: z.boolean().default(false),
  PidsLimit: z.boolean().default(false),
  CPUShares: z.boolean().default(false),
  CpuCfsQuota: z.boolean().default(false),
})

/** The engine of this kind, or a sentence of why there is none. */
export async function findEngine(kind: EngineKind, from: Readonly<Record<string, string | undefined>>): Promise<Engine | string> {
  const path = await which(kind, from['PATH'] ?? '')
  if (path === null) return `${kind} is not installed.`
  const env: Record<string, string> = { LC_ALL: 'C' }
  for (const name of ENGINE_VARIABLES) if (from[name]) env[name] = from[name]
  const asked = await callEngine({ path, env }, ['info', '--format', kind === 'podman' ? 'json' : '{{json .}}'])
  if (asked.exitCode !== 0) return `${kind} does not answer: ${saidBy(asked)}`
  try {
    const info = parseJson(asked.stdout, `${kind} info`)
    return { kind, path, env, ...(kind === 'podman' ? ofPodman(info) : ofDocker(info)) }
  } catch (error) {
    return `${kind} does not describe itself as expected: ${problemOf(error)}`
  }
}

type Traits = Pick<Engine, 'version' | 'rootless' | 'limits' | 'selinux' | 'filter'>

function ofPodman(info: unknown): Traits {
  const { host, version } = podmanInfo.parse(info)
  const { rootless, selinuxEnabled, seccompProfilePath } = host.security
  const v2 = host.cgroupVersion === 'v2'
  // Without root it can do nothing on version 1, whatever it lists; on version 2 it lists what was delegated to the user.
  const has = (name: string) => (v2 || !rootless) && host.cgroupControllers.includes(name)
  const limits = { memory: has('memory'), processes: has('pids'), cpu: has('cpu'), swap: v2 && has('memory') }
  return { version: version.Version, rootless, selinux: selinuxEnabled, filter: seccompProfilePath || null, limits }
}

function ofDocker(info: unknown): Traits {
  const it = dockerInfo.parse(info)
  const has = (name: string) => it.SecurityOptions.some((option) => option.split(',').includes(`name=${name}`))
  return {
    version: it.ServerVersion,
    rootless: has('rootless'),
    selinux: has('selinux'),
    filter: null,
    limits: { memory: it.MemoryLimit, swap: it.MemoryLimit && it.SwapLimit, processes: it.PidsLimit, cpu: it.CPUShares && it.CpuCfsQuota },
  }
}

/** Runs the engine's program. Never throws for what it answers. */
export function callEngine(engine: Pick<Engine, 'path' | 'env'>, args: readonly string[], timeoutMs = ANSWER_MS): Promise<ProgramResult> {
  return runProgram({ argv: [engine.path, ...args], cwd: '/', env: engine.env, timeoutMs, trusted: true })
}

/** The line in which an engine says what is wrong, which is its last one. */
export function saidBy(result: ProgramResult): string {
  const lines = result.stderr.split('\n').filter((it) => it.trim() !== '')
  const text = (lines.at(-1) ?? result.problem).replace(/^(?:Error|ERROR): /, '').trim()
  return text.endsWith('.') ? text : `${text}.`
}
