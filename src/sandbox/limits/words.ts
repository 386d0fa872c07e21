import { existsSync, readFileSync } from 'node:fs'
import type { Limits } from './port.ts'

/** What the machine offers for limits per process. */
export interface LimitTools {
  prlimit: string | null
  nice: string | null
  /** Hard limits of this process, which only root could raise for what it starts. */
  hard: { openFiles: number; fileBytes: number; processes: number; cpuSeconds: number }
}

/** Builds and tests must not make the machine slow for its user. */
const NICE = '10'
/** A control group refuses so many above the limit: what is seen above it has then broken it for sure. */
export const SPARE_PROCESSES = 8
const SPARE_CPU_SECONDS = 5
/** A program that is refused a process mostly ends at once, unseen. Up to here the watcher has time to see the limit broken, and to say so. */
const REFUSED_AT = 2

let found: LimitTools | null = null

/** Those of this machine; absolute paths, the same inside a sandbox. Looks once, when the first sandbox is made: three short calls. */
export function limitTools(): LimitTools {
  const present = (path: string) => (existsSync(path) ? path : null)
  found ??= { prlimit: present('/usr/bin/prlimit'), nice: present('/usr/bin/nice'), hard: hardLimits() }
  return found
}

function hardLimits(): LimitTools['hard'] {
  const text = process.platform === 'linux' ? readFileSync('/proc/self/limits', 'latin1') : ''
  const of = (name: string) => {
    const value = new RegExp(`^${name} +\\S+ +(\\S+)`, 'm').exec(text)?.[1]
    return value === undefined || value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value)
  }
  return {
    openFiles: of('Max open files'),
    fileBytes: of('Max file size'),
    processes: of('Max processes'),
    cpuSeconds: of('Max cpu time'),
  }
}

/**
 * Words in front of a program: limits of each process, low priority. `namespace`: processes are counted within the sandbox's user namespace
 * alone; outside of one the kernel would count all of the user's, so there the number is left to the watcher.
 */
export function limitWords(limits: Limits, { prlimit, nice, hard }: LimitTools, options: { namespace: boolean }): string[] {
  const openFiles = Math.min(limits.openFiles, hard.openFiles)
  const fileBytes = Math.min(limits.fileBytes, hard.fileBytes)
  const low = nice === null ? [] : [nice, '-n', NICE]
  if (prlimit === null) {
    // What POSIX shells have; -f counts blocks of 512 bytes.
    const line = `ulimit -c 0; ulimit -n ${openFiles}; ulimit -f ${Math.ceil(fileBytes / 512)}; exec "$@"`
    return [...low, '/bin/sh', '-c', line, 'reeve']
  }
  const processes = Math.min(limits.processes * REFUSED_AT, hard.processes)
  return [
    ...low,
    prlimit,
    ...(options.namespace ? [`--nproc=${processes}`] : []),
    `--nofile=${openFiles}`,
    `--fsize=${fileBytes}`,
    // The watcher counts the whole tree and comes first; this is for when it is held up.
    `--cpu=${Math.min(limits.cpuSeconds + SPARE_CPU_SECONDS, hard.cpuSeconds)}`,
    '--core=0',
    '--',
  ]
}
