import { readlink } from 'node:fs/promises'
import { isAlive, thisProcess } from '../../../process/alive.ts'
import { folders, removeGroup } from './files.ts'

/** Names of this process's groups: `reeve-<pid namespace>-<pid>-<start>-<number>`. Whose group it is can be told later. */
export async function groupNames(): Promise<() => string> {
  const { pid, started } = await thisProcess()
  const prefix = `reeve-${await pidNamespace()}-${pid}-${started}`
  return () => {
    made += 1
    return `${prefix}-${made}`
  }
}

/** Of this process: two that count for themselves would give the same name. */
let made = 0

/** Removes the groups of reeves that have died, with what is left in them. A pid says nothing in another namespace: those are let be. */
export async function removeStale(base: string): Promise<void> {
  const own = await pidNamespace()
  for (const name of await folders(base)) {
    const [, namespace, pid, started] = /^reeve-(\d+)-(\d+)-(\d*)-\d+$/.exec(name) ?? []
    if (namespace !== own || pid === undefined || started === undefined) continue
    if (!(await isAlive({ pid: Number(pid), started }))) await removeGroup(`${base}/${name}`)
  }
}

async function pidNamespace(): Promise<string> {
  const link = await readlink('/proc/self/ns/pid').catch(() => '')
  return /\d+/.exec(link)?.[0] ?? '0'
}
