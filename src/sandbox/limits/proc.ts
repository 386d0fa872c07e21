import { readFile } from 'node:fs/promises'

/** What of `/proc/<pid>/stat` counts here. */
export interface ProcessStat {
  parent: number
  group: number
  session: number
  /** Of the process and of those of its children that have ended and been waited for. */
  cpuSeconds: number
  threads: number
  rssBytes: number
  /** When it started, in the system's own words: tells a process from a later one of the same number. */
  started: string
}

/** Clock ticks that the kernel tells user space are 100 to the second on every architecture of today. */
const TICKS = 100

/** Parses proc(5) `stat`. The name stands in brackets and may hold spaces and brackets: count from the last one. */
export function parseStat(text: string, pageBytes: number): ProcessStat | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields.length < 22) return null
  const number = (at: number) => Number(fields[at])
  return {
    parent: number(1),
    group: number(2),
    session: number(3),
    cpuSeconds: (number(11) + number(12) + number(13) + number(14)) / TICKS,
    threads: number(17),
    started: fields[19] ?? '',
    rssBytes: number(21) * pageBytes,
  }
}

/** `stat` of a process, by its folder in some proc file system; null when it is gone. */
export async function readStat(folder: string): Promise<ProcessStat | null> {
  const [text, page] = await Promise.all([readFile(`${folder}/stat`, 'latin1').catch(() => ''), pageBytes()])
  return text === '' ? null : parseStat(text, page)
}

/** Memory of a process where each shared page counts for the share of those that use it; null when the kernel does not say. */
export async function readShare(folder: string): Promise<{ all: number; shared: number } | null> {
  const text = await readFile(`${folder}/smaps_rollup`, 'latin1').catch(() => '')
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN)
  const all = kilobytes('Pss')
  return Number.isNaN(all) ? null : { all: all * 1024, shared: (kilobytes('Pss_Shmem') || 0) * 1024 }
}

let page: Promise<number> | null = null

/** Not 4096 everywhere (arm64). The kernel tells it of our own mappings; read once. */
function pageBytes(): Promise<number> {
  page ??= readFile('/proc/self/smaps', 'latin1').then(
    (text) => Number(/^KernelPageSize:\s+(\d+) kB/m.exec(text)?.[1] ?? 4) * 1024,
    () => 4096,
  )
  return page
}
