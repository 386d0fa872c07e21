import type { Grip, Hold } from '../../core/isolation.ts'
import type { CgroupHome } from './cgroups/port.ts'
import type { Limits } from './port.ts'
import type { LimitTools } from './words.ts'

export interface Ground {
  /** Programs have namespaces of their own. */
  namespace: boolean
  root: boolean
  cgroups: CgroupHome | null
  tools: LimitTools
  limits: Pick<Limits, 'cpuPercent'>
  platform: NodeJS.Platform
}

/** How each limit is held on this ground, for the table that people see. */
export function limitHolds(ground: Ground): Hold[] {
  const looks = ground.platform === 'linux' ? 'ten times a second' : 'a few times a second, by ps'
  const folders = 'the folders of the run are looked through, sooner when the file system fills'
  const perProcess = ground.tools.prlimit === null ? 'ulimit' : 'prlimit'
  const rows: readonly (readonly [string, Grip, string])[] = [
    ['memory', ...memory(ground, looks)],
    ['processes', ...processes(ground, looks)],
    ['processor share', ...share(ground)],
    ['processor time', 'watched', `all a program starts together, ${looks}`],
    ['open files', 'per-process', perProcess],
    ['file size', 'per-process', perProcess],
    ['temporary files', ...tmpfs(ground)],
    ['shared memory', ...tmpfs(ground)],
    ['disk', 'watched', folders],
    ['files', 'watched', folders],
  ]
  return rows.map(([name, grip, reason]) => ({ name, about: 'limit', grip, reason }))
}

type Held = readonly [Grip, string]

function memory({ cgroups }: Ground, looks: string): Held {
  if (cgroups?.holds.memory === true) return ['kernel', `control group, version ${cgroups.version}`]
  return ['watched', `${looks}; no control group for memory may be made here`]
}

function processes({ cgroups, namespace, root }: Ground, looks: string): Held {
  if (cgroups?.holds.processes === true) return ['kernel', `control group, version ${cgroups.version}`]
  if (namespace && !root) return ['kernel', `each sandbox may have twice as many; at the limit it is ended, ${looks}`]
  const why = root ? 'the kernel counts no processes of root' : 'the kernel would count all processes of the user'
  return ['watched', `${looks}; ${why}, and no control group for them may be made here`]
}

function share({ cgroups, limits, tools }: Ground): Held {
  const low = tools.nice === null ? '' : '; programs have low priority'
  if (limits.cpuPercent === null) return ['none', `sandbox.limits.cpu_percent is not set${low}`]
  if (cgroups?.holds.cpu === true) return ['kernel', `control group, version ${cgroups.version}`]
  return ['none', `no control group for it may be made here${low}`]
}

function tmpfs({ namespace }: Ground): Held {
  return namespace ? ['kernel', 'size of a private file system in memory'] : ['none', 'programs share the folders of the machine']
}
