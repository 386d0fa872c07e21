import { constants } from 'node:fs'
import { type FileHandle, open, readdir, stat, statfs } from 'node:fs/promises'
import { readShare, readStat } from './proc.ts'
import type { Sample, Sampler, Tmpfs } from './sampler.ts'

const TMPFS = 0x01021994

/**
 * The processes of a PID namespace, through the proc file system that is mounted in it: it lists these and no others, however they were
 * started. `pid` is the namespace's first process on the host. All folders are held open, so that a later process of the same number is
 * never taken for it, and what the private tmpfs held can be read when all in it have ended.
 */
export function namespaceSampler(pid: number): Sampler {
  const held = new Map<string, Promise<FileHandle | null>>()
  let pids: string[] = []
  let closed = false

  /** The folder inside, as a path that stays the same; null until the sandbox has mounted its own. */
  async function folder(inside: string): Promise<string | null> {
    if (closed) return null
    const opening = held.get(inside) ?? openPrivate(pid, inside)
    held.set(inside, opening)
    const handle = await opening
    if (handle === null) held.delete(inside)
    return handle === null || closed ? null : `/proc/self/fd/${handle.fd}`
  }

  async function filled(inside: string, limit: Tmpfs['limit']): Promise<Tmpfs[]> {
    const at = await folder(inside)
    const found = at === null ? null : await statfs(at).catch(() => null)
    if (found === null || found.type !== TMPFS) return []
    const { bsize, blocks, bfree, files, ffree } = found
    return [{ limit, used: (blocks - bfree) * bsize, size: blocks * bsize, entries: files - ffree }]
  }

  return {
    async look(most) {
      const proc = await folder('/proc')
      if (proc === null) return null
      const names = await readdir(proc).catch(() => [])
      pids = names.filter((it) => /^\d+$/.test(it)).map((it) => `${proc}/${it}`)
      if (pids.length === 0) return null
      if (pids.length > most) return { processes: pids.length, rssBytes: 0, cpuSeconds: 0 }
      return sumOf(await Promise.all(pids.map(readStat)))
    },
    exactMemory: () => sumOfShares(pids),
    tmpfs: async () => [...(await filled('/tmp', 'temporary files')), ...(await filled('/dev/shm', 'shared memory'))],
    async close() {
      closed = true
      await Promise.all([...held.values()].map(async (it) => (await it)?.close()))
    },
  }
}

/** While a sandbox is being set up its first process still sees the host's folders: another file system must be mounted there. */
async function openPrivate(pid: number, inside: string): Promise<FileHandle | null> {
  const handle = await open(`/proc/${pid}/root${inside}`, constants.O_RDONLY | constants.O_DIRECTORY).catch(() => null)
  if (handle === null) return null
  const [own, host] = await Promise.all([handle.stat().catch(() => null), stat(inside).catch(() => null)])
  if (own !== null && own.dev !== host?.dev) return handle
  await handle.close()
  return null
}

/** Processes with their threads, and what they use; those that are gone are null. */
export function sumOf(all: readonly ({ threads: number; rssBytes: number; cpuSeconds: number } | null)[]): Sample {
  const sum = { processes: 0, rssBytes: 0, cpuSeconds: 0 }
  for (const it of all) {
    if (it === null) continue
    sum.processes += Math.max(1, it.threads)
    sum.rssBytes += it.rssBytes
    sum.cpuSeconds += it.cpuSeconds
  }
  return sum
}

/** Memory of processes by their folders in `/proc`, in bytes, shared pages counted once; null when none of them may be read. */
export async function sumOfShares(folders: readonly string[]): Promise<{ all: number; shared: number } | null> {
  const shares = (await Promise.all(folders.map(readShare))).filter((it) => it !== null)
  if (shares.length === 0) return null
  return { all: sum(shares.map((it) => it.all)), shared: sum(shares.map((it) => it.shared)) }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, it) => all + it, 0)
}
