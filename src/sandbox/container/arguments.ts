import { ReeveError } from '../../core/errors.ts'
import type { Limits } from '../limits/port.ts'
import type { Engine } from './engine.ts'
import type { Image } from './image.ts'

/** A folder or file of the host and where it is shown. */
export interface Mount {
  from: string
  at: string
  written: boolean
}

/** One container: what it shows and what it may use. */
export interface ContainerView {
  name: string
  labels: Readonly<Record<string, string>>
  image: Pick<Image, 'id' | 'volumes'>
  user: { uid: number; gid: number }
  mounts: readonly Mount[]
  cwd: string
  limits: Limits
  /** File of a system call filter; null: the engine's own. */
  filter: string | null
}

// Programs find their sockets and locks there; nothing large belongs into it.
const RUN_BYTES = 16 * 1024 * 1024
// 1024 is what others have: programs of runs stand back.
const LOW_PRIORITY = 256

/** The words from `podman` or `docker` up to and with the image. The first program is `/bin/sh`; its arguments follow. */
export function containerArguments(engine: Engine, view: ContainerView): string[] {
  const { limits } = view
  const tmpfs = `rw,exec,nosuid,nodev,size=${limits.tmpBytes},mode=1777`
  return [
    // Warnings of the engine would look like output of the program.
    '--log-level=error',
    'run',
    '--rm',
    '--interactive',
    `--name=${view.name}`,
    ...Object.entries(view.labels).map(([name, value]) => `--label=${name}=${value}`),
    '--pull=never',
    '--network=none',
    '--hostname=reeve',
    '--cap-drop=ALL',
    '--security-opt=no-new-privileges',
    ...(view.filter === null ? [] : [`--security-opt=seccomp=${view.filter}`]),
    // Otherwise SELinux hides the folders of a user from containers; changing their labels would change the user's files.
    ...(engine.selinux ? ['--security-opt=label=disable'] : []),
    '--read-only',
    ...['/tmp', '/var/tmp', ...view.image.volumes].map((it) => `--tmpfs=${it}:${tmpfs}`),
    `--tmpfs=/run:rw,nosuid,nodev,size=${RUN_BYTES},mode=755`,
    `--shm-size=${limits.sharedMemoryBytes}b`,
    ...userArguments(engine, view.user),
    ...limitArguments(engine, limits),
    // What a program writes goes to reeve alone, not to a log without end.
    '--log-driver=none',
    '--stop-signal=KILL',
    '--no-healthcheck',
    '--entrypoint=/bin/sh',
    // Podman's own: input is not searched for keys, and no volume is made on disk.
    ...(engine.kind === 'podman' ? ['--detach-keys=', '--image-volume=ignore'] : []),
    ...view.mounts.map((it) => `--mount=${mountWord(it)}`),
    `--workdir=${view.cwd}`,
    view.image.id,
  ]
}

/** Files a program makes must belong to the user. In a rootless docker that is what its root is; podman can keep the number. */
function userArguments(engine: Engine, { uid, gid }: ContainerView['user']): string[] {
  if (!engine.rootless) return [`--user=${uid}:${gid}`]
  return engine.kind === 'podman' ? ['--userns=keep-id', `--user=${uid}:${gid}`] : ['--user=0:0']
}

function limitArguments(engine: Engine, limits: Limits): string[] {
  const { memory, swap, processes, cpu } = engine.limits
  return [
    ...(memory ? [`--memory=${limits.memoryBytes}b`] : []),
    ...(swap ? [`--memory-swap=${limits.memoryBytes}b`] : []),
    ...(processes ? [`--pids-limit=${limits.processes}`] : []),
    ...(cpu ? [`--cpu-shares=${LOW_PRIORITY}`] : []),
    ...(cpu && limits.cpuPercent !== null ? [`--cpus=${limits.cpuPercent / 100}`] : []),
    ulimit('nofile', limits.openFiles),
    ulimit('fsize', limits.fileBytes),
    ulimit('cpu', limits.cpuSeconds),
    ulimit('core', 0),
    // Podman counts it within the container; docker would count all processes of the user on the machine.
    ...(engine.kind === 'podman' ? [ulimit('nproc', limits.processes)] : []),
  ]
}

function ulimit(name: string, value: number): string {
  return `--ulimit=${name}=${value}:${value}`
}

/** `--mount` takes a line of comma-separated values, quoted as in a CSV file. */
export function mountWord({ from, at, written }: Mount): string {
  for (const path of [from, at]) {
    if (/[\n\r\0]/.test(path))
      throw new ReeveError('sandbox_failed', { problem: `a line break in the path ${JSON.stringify(path)} cannot be mounted.` })
  }
  return ['type=bind', `src=${from}`, `dst=${at}`, ...(written ? [] : ['ro=true'])].map(quoted).join(',')
}

function quoted(field: string): string {
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}
