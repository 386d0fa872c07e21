import { mkdir, rmdir } from 'node:fs/promises'
import { problemOf, ReeveError } from '../../../core/errors.ts'
import type { Limits } from '../port.ts'
import { SPARE_PROCESSES } from '../words.ts'
import { cpuQuota, enrolWords } from './enrol.ts'
import { counter, read, removeGroup, sweepGroup, write } from './files.ts'
import { removeStale } from './names.ts'
import type { CgroupHome, Group } from './port.ts'

/**
 * Version 2: one hierarchy. A group may only hand memory and processes on to groups below it while it holds no process itself, so where this
 * process is alone in its own (as under `systemd-run --user --scope -p Delegate=yes`), it first moves into one below. Only the writing of these
 * files has been tested, not a kernel that holds memory by them.
 */
export async function version2(own: ReadonlyMap<string, string>, name: () => string): Promise<CgroupHome | null> {
  const base = own.get('')
  if (base === undefined || !(await handsOn(base, name))) return null
  await removeStale(base)
  const controllers = (await read(base, 'cgroup.subtree_control')).trim().split(' ')
  return {
    version: 2,
    holds: { memory: true, processes: true, cpu: controllers.includes('cpu') },
    group: (_run, limits) => makeGroup(`${base}/${name()}`, limits, controllers.includes('cpu')),
  }
}

/** Does the group hand memory and processes on, or can it be made to? Leaves all as it was where it cannot. */
async function handsOn(base: string, name: () => string): Promise<boolean> {
  const has = async (file: string) => {
    const words = (await read(base, file)).trim().split(' ')
    return words.includes('memory') && words.includes('pids')
  }
  if (await has('cgroup.subtree_control')) return true
  if (!(await has('cgroup.controllers'))) return false
  const alone = (await read(base, 'cgroup.procs')).trim() === `${process.pid}`
  if (!alone) return false
  const below = `${base}/${name()}`
  const made = await mkdir(below).then(
    () => true,
    () => false,
  )
  if (!made) return false
  if (await write(below, 'cgroup.procs', process.pid)) {
    await write(base, 'cgroup.subtree_control', '+cpu') // good to have
    if (await write(base, 'cgroup.subtree_control', '+memory +pids')) return true
    await write(base, 'cgroup.procs', process.pid)
  }
  await rmdir(below).catch(() => undefined)
  return false
}

async function makeGroup(folder: string, limits: Limits, cpu: boolean): Promise<Group> {
  try {
    await mkdir(folder)
  } catch (error) {
    throw new ReeveError('sandbox_failed', { problem: `A control group could not be made: ${problemOf(error)}` })
  }
  await write(folder, 'memory.max', limits.memoryBytes)
  await write(folder, 'memory.swap.max', 0)
  // Half a build is worth nothing: all or none of it.
  await write(folder, 'memory.oom.group', 1)
  await write(folder, 'pids.max', limits.processes + SPARE_PROCESSES)
  if (cpu && limits.cpuPercent !== null) {
    const { quota, period } = cpuQuota(limits.cpuPercent)
    await write(folder, 'cpu.max', `${quota} ${period}`)
  }
  return {
    words: enrolWords([folder]),
    async count() {
      const [outOfMemory, peak, refused] = await Promise.all([
        counter(folder, 'memory.events', 'oom_kill'),
        read(folder, 'memory.peak'),
        counter(folder, 'pids.events', 'max'),
      ])
      return { outOfMemory, refused, memoryPeakBytes: Number(peak) }
    },
    sweep: () => sweepGroup(folder),
    close: () => removeGroup(folder),
  }
}
