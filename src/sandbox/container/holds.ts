import type { Grip, Hold } from '../../core/isolation.ts'
import type { Engine } from './engine.ts'

/** How each limit is held in containers of this engine. What it cannot do is watched, since the processes are visible from outside. */
export function holdsOf(engine: Engine): Hold[] {
  const { memory, processes, cpu } = engine.limits
  const local = process.platform === 'linux'
  const watched: Grip = local ? 'watched' : 'none'
  const by = (can: boolean): readonly [Grip, string] => {
    if (can) return ['kernel', 'control group of each container']
    return [watched, `${engine.kind} has no control groups for it here`]
  }
  const together = (can: boolean): readonly [Grip, string] => {
    const [grip, reason] = by(can)
    return [grip, can && local ? `${reason}; together over the programs of a run it is watched` : reason]
  }
  const table: readonly (readonly [string, Grip, string])[] = [
    ['memory', ...together(memory)],
    ['processes', ...together(processes)],
    ['processor share', ...(cpu ? by(true) : (['none', by(false)[1]] as const))],
    ['processor time', 'per-process', 'RLIMIT_CPU'],
    ['open files', 'per-process', 'RLIMIT_NOFILE'],
    ['file size', 'per-process', 'RLIMIT_FSIZE'],
    ['temporary files', 'kernel', 'size of a private file system in memory'],
    ['shared memory', 'kernel', 'size of a private file system in memory'],
    ['disk', watched, 'folders of the run are looked through'],
    ['files', watched, 'folders of the run are looked through'],
  ]
  return table.map(([name, grip, reason]) => ({ name, about: 'limit', grip, reason }))
}
