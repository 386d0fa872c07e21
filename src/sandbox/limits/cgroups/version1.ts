import { mkdir, rmdir } from 'node:fs/promises'
import { problemOf, ReeveError } from '../../../core/errors.ts'
import type { Limits } from '../port.ts'
import { SPARE_PROCESSES } from '../words.ts'
import { cpuQuota, enrolWords } from './enrol.ts'
import { counter, read, removeGroup, sweepGroup, write } from './files.ts'
import { removeStale } from './names.ts'
import type { CgroupHome, Group } from './port.ts'

const CONTROLLERS = ['memory', 'pids', 'cpu'] as const
type Controller = (typeof CONTROLLERS)[number]

/** Version 1: a hierarchy per controller, groups below the one this process is in. null where none of memory and pids may be made. */
export async function version1(own: ReadonlyMap<string, string>, name: () => string): Promise<CgroupHome | null> {
  const bases = new Map<Controller, string>()
  for (const controller of CONTROLLERS) {
    const base = own.get(controller)
    if (base === undefined || !(await mayMake(`${base}/${name()}`))) continue
    bases.set(controller, base)
    await removeStale(base)
  }
  if (!bases.has('memory') && !bases.has('pids')) return null
  return {
    version: 1,
    holds: { memory: bases.has('memory'), processes: bases.has('pids'), cpu: bases.has('cpu') },
    group: (_run, limits) => makeGroup(bases, name(), limits),
  }
}

async function mayMake(folder: string): Promise<boolean> {
  try {
    await mkdir(folder)
    await rmdir(folder)
    return true
  } catch {
    return false
  }
}

async function makeGroup(bases: ReadonlyMap<Controller, string>, name: string, limits: Limits): Promise<Group> {
  const folders = new Map<Controller, string>()
  for (const [controller, base] of bases) {
    if (controller === 'cpu' && limits.cpuPercent === null) continue
    folders.set(controller, `${base}/${name}`)
  }
  const [memory, pids, cpu] = CONTROLLERS.map((it) => folders.get(it))
  try {
    for (const folder of folders.values()) await mkdir(folder)
  } catch (error) {
    throw new ReeveError('sandbox_failed', { problem: `A control group could not be made: ${problemOf(error)}` })
  }
  if (memory !== undefined) {
    await write(memory, 'memory.limit_in_bytes', limits.memoryBytes)
    // Memory with swap; there only where the kernel counts swap.
    await write(memory, 'memory.memsw.limit_in_bytes', limits.memoryBytes)
  }
  if (pids !== undefined) await write(pids, 'pids.max', limits.processes + SPARE_PROCESSES)
  if (cpu !== undefined && limits.cpuPercent !== null) {
    const { quota, period } = cpuQuota(limits.cpuPercent)
    await write(cpu, 'cpu.cfs_period_us', period)
    await write(cpu, 'cpu.cfs_quota_us', quota)
  }
  return {
    words: enrolWords([...folders.values()]),
    async count() {
      const [outOfMemory, peak, refused] = await Promise.all([
        memory === undefined ? 0 : counter(memory, 'memory.oom_control', 'oom_kill'),
        memory === undefined ? '' : read(memory, 'memory.max_usage_in_bytes'),
        pids === undefined ? 0 : counter(pids, 'pids.events', 'max'),
      ])
      return { outOfMemory, refused, memoryPeakBytes: Number(peak) }
    },
    async sweep() {
      await Promise.all([...folders.values()].map(sweepGroup))
    },
    async close() {
      await Promise.all([...folders.values()].map(removeGroup))
    },
  }
}
