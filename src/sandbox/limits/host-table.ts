import { readdir } from 'node:fs/promises'
import { runProgram } from '../../process/run-program.ts'
import { type ProcessStat, readStat } from './proc.ts'

export type HostProcess = ProcessStat & { pid: number }

/** Several programs look at the same moment; younger than this one listing serves them all. */
const FRESH_MS = 50

let last: { at: number; rows: Promise<HostProcess[]> } | null = null

/** All processes of this machine that may be seen: `/proc`, elsewhere `ps`. */
export function hostProcesses(): Promise<HostProcess[]> {
  const now = performance.now()
  if (last === null || now - last.at > FRESH_MS) last = { at: now, rows: process.platform === 'linux' ? fromProc() : byPs() }
  return last.rows
}

async function fromProc(): Promise<HostProcess[]> {
  const pids = (await readdir('/proc')).filter((it) => /^\d+$/.test(it))
  const rows = await Promise.all(
    pids.map(async (pid) => {
      const found = await readStat(`/proc/${pid}`)
      return found === null ? null : { ...found, pid: Number(pid) }
    }),
  )
  return rows.filter((it) => it !== null)
}

/** For systems without /proc: no sessions, no threads, no start times. */
export async function byPs(): Promise<HostProcess[]> {
  const { stdout } = await runProgram({
    argv: ['/bin/ps', '-axo', 'pid=,ppid=,pgid=,rss=,time='],
    cwd: '/',
    env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' },
    timeoutMs: 5000,
    keepBytes: 8 * 1024 * 1024,
    trusted: true,
  })
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, group, rss, time = ''] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)/.exec(line) ?? []
    if (pid === undefined) return []
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        group: Number(group),
        session: 0,
        cpuSeconds: secondsOf(time),
        threads: 1,
        rssBytes: Number(rss) * 1024,
        started: '',
      },
    ]
  })
}

/** `[days-][hours:]minutes:seconds[.hundredths]`. */
export function secondsOf(time: string): number {
  const [rest = '', days = '0'] = time.split('-').toReversed()
  return rest.split(':').reduce((all, part) => all * 60 + Number(part), 0) + Number(days) * 86_400
}
