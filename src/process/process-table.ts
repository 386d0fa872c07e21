import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** A process as the system lists it, with reeve's marks from its environment ('' when there are none or it may not be read). */
export interface ProcessRow {
  pid: number
  parent: number
  group: number
  run: string
  proc: string
}

/** All processes of this machine that we may see. Linux reads /proc, others ask `ps`. */
export function listProcesses(): Promise<ProcessRow[]> {
  return process.platform === 'linux' ? fromProc() : listByPs()
}

async function fromProc(): Promise<ProcessRow[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const rows = await Promise.all(pids.map(readRow))
  return rows.filter((row) => row !== null)
}

async function readRow(pid: string): Promise<ProcessRow | null> {
  const [stat, environ] = await Promise.all([readText(`/proc/${pid}/stat`), readText(`/proc/${pid}/environ`)])
  if (stat === '') return null
  // The name stands in brackets and may itself contain spaces and brackets: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return null
  const all = `\0${environ}`
  return {
    pid: Number(pid),
    parent: Number(fields[1]),
    group: Number(fields[2]),
    run: valueOf(all, '\0', 'REEVE_RUN'),
    proc: valueOf(all, '\0', 'REEVE_PROC'),
  }
}

function valueOf(all: string, separator: string, name: string): string {
  const at = all.indexOf(`${separator}${name}=`)
  if (at < 0) return ''
  const start = at + separator.length + name.length + 1
  const end = all.indexOf(separator, start)
  return all.slice(start, end < 0 ? undefined : end).trim()
}

function readText(path: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => '') // gone, or another user's
}

/** The same by `ps`, for systems without /proc. */
export async function listByPs(): Promise<ProcessRow[]> {
  // `e` appends the environment to the command; 64 MiB: some machines have thousands of processes with long ones.
  const { stdout } = await promisify(execFile)('/bin/ps', ['axeww', '-o', 'pid=,ppid=,pgid=,state=,command='], {
    maxBuffer: 64 * 1024 * 1024,
    encoding: 'latin1',
  })
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, group, state, command = ''] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s(.*)$/.exec(line) ?? []
    if (pid === undefined || state?.startsWith('Z')) return []
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        group: Number(group),
        run: valueOf(command, ' ', 'REEVE_RUN'),
        proc: valueOf(command, ' ', 'REEVE_PROC'),
      },
    ]
  })
}

/** Every process below these, by parent. One whose parent has died is not found this way: that is what marks are for. */
export function descendantsOf(roots: ReadonlySet<number>, rows: readonly ProcessRow[]): Set<number> {
  const children = Map.groupBy(rows, (row) => row.parent)
  const found = new Set<number>()
  const queue = [...roots]
  while (queue.length > 0) {
    for (const row of children.get(queue.pop() ?? -1) ?? []) {
      if (found.has(row.pid)) continue
      found.add(row.pid)
      queue.push(row.pid)
    }
  }
  return found
}

/** This process and the ones above it, which no sweep may touch. */
export function ourLine(rows: readonly ProcessRow[]): Set<number> {
  const parents = new Map(rows.map((row) => [row.pid, row.parent]))
  const line = new Set([process.pid])
  for (let pid = process.ppid; pid > 0 && !line.has(pid); pid = parents.get(pid) ?? 0) line.add(pid)
  return line
}
