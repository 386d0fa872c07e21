import { readFile } from 'node:fs/promises'
import { listProcesses } from '../../process/process-table.ts'
import { type HostProcess, hostProcesses } from './host-table.ts'
import { sumOf, sumOfShares } from './namespace-sampler.ts'
import type { Sampler } from './sampler.ts'

/** Marks are in the environments of all processes of the machine: too many to read at each look. */
const MARKS_EVERY = 10

/**
 * A plain process with what it starts: by parent, by process group and session, and now and then by reeve's mark in the environment. Best
 * effort: what leaves its group and session, changes its environment and loses its parent between two looks is not found.
 */
export function plainSampler(pid: number): Sampler {
  const members = new Map<number, string>()
  const groups = new Set([pid])
  let mark: string | null = null
  let looks = 0

  async function marked(): Promise<Set<number>> {
    mark ??= await markOf(pid)
    if (mark === '' || ++looks % MARKS_EVERY !== 0) return new Set()
    const wanted = mark
    const rows = await listProcesses().catch(() => [])
    return new Set(rows.filter((it) => it.proc.split('/').includes(wanted)).map((it) => it.pid))
  }

  return {
    async look(most) {
      const [rows, found] = await Promise.all([hostProcesses().catch(() => []), marked()])
      const own = ownOf(rows, { pid, members, groups, found })
      if (own.length === 0) return null
      return own.length > most ? { processes: own.length, rssBytes: 0, cpuSeconds: 0 } : sumOf(own)
    },
    exactMemory: () => sumOfShares([...members.keys()].map((it) => `/proc/${it}`)),
    tmpfs: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  }
}

interface Known {
  pid: number
  /** Process -> when it started. */
  members: Map<number, string>
  groups: Set<number>
  found: ReadonlySet<number>
}

/** Those of the machine's processes that are the program's; `members` and `groups` are brought up to date. */
export function ownOf(rows: readonly HostProcess[], { pid, members, groups, found }: Known): HostProcess[] {
  const own = new Map<number, HostProcess>()
  const known = (it: HostProcess) => it.pid === pid || members.get(it.pid) === it.started || found.has(it.pid)
  const belongs = (it: HostProcess) => known(it) || own.has(it.parent) || groups.has(it.group) || groups.has(it.session)
  // Children mostly come after their parents in the list; a number that was used before makes a second round necessary.
  for (let before = -1; before !== own.size; ) {
    before = own.size
    for (const it of rows) {
      if (own.has(it.pid) || it.pid === process.pid || !belongs(it)) continue
      own.set(it.pid, it)
      if (it.group === it.pid) groups.add(it.pid)
      if (it.session === it.pid) groups.add(it.pid)
    }
  }
  // The number of a group that has died out may come to somebody else.
  for (const group of groups) if (group !== pid && !rows.some((it) => it.group === group || it.session === group)) groups.delete(group)
  members.clear()
  for (const it of own.values()) members.set(it.pid, it.started)
  return [...own.values()]
}

/** The innermost mark of a process: marks nest. */
async function markOf(pid: number): Promise<string> {
  const environ = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
  const value = environ.split('\0').find((it) => it.startsWith('REEVE_PROC='))
  return value?.slice('REEVE_PROC='.length).split('/').at(-1) ?? ''
}
