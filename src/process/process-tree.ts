import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { descendantsOf, listProcesses, ourLine, type ProcessRow } from './process-table.ts'

/** How a program's tree is found again: its process group and a mark in the environment that children inherit. */
export interface Mark {
  /** `<run or ->.<random>`: one program. */
  id: string
  env: Readonly<Record<string, string>>
}

/**
 * A new mark. Marks nest: a reeve that runs inside a program of another reeve passes the outer marks on, so that the outer one still finds
 * everything below it.
 */
export function newMark(run: string | undefined): Mark {
  const id = `${run ?? '-'}.${randomBytes(9).toString('hex')}`
  const outer = process.env['REEVE_PROC']
  return {
    id,
    env: { REEVE_PROC: outer ? `${outer}/${id}` : id, ...(run === undefined ? {} : { REEVE_RUN: run }) },
  }
}

/** Sends a signal and says whether there was anybody to get it. A negative pid is a group. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false // gone, or not ours
  }
}

/** Asks the whole tree to end. */
export async function askTreeToEnd(pid: number, mark: Mark): Promise<void> {
  send(-pid, 'SIGTERM')
  await signalAll('SIGTERM', (row) => hasMark(row, mark.id), new Set([pid]))
}

/** Kills the whole tree. A tree that forks while it is killed needs more than one round. */
export async function killTree(pid: number, mark: Mark): Promise<void> {
  send(-pid, 'SIGKILL')
  await killWhere((row) => hasMark(row, mark.id), new Set([pid]))
}

/** Kills all processes that fit, and all below them and `roots`; never this process or one above it. Returns how many it killed. */
export async function killWhere(fits: (row: ProcessRow) => boolean, roots: ReadonlySet<number> = new Set()): Promise<number> {
  const killed = new Set<number>()
  // A process that is just becoming another program shows no environment: one look that finds nothing is not enough.
  for (let round = 0, quiet = 0; round < 10 && quiet < 2; round++) {
    const hit = await signalAll('SIGKILL', fits, roots)
    for (const pid of hit) killed.add(pid)
    quiet = hit.size === 0 ? quiet + 1 : 0
    await delay(2)
  }
  return killed.size
}

async function signalAll(
  signal: NodeJS.Signals,
  fits: (row: ProcessRow) => boolean,
  roots: ReadonlySet<number>,
): Promise<ReadonlySet<number>> {
  const rows = await listProcesses()
  const spared = ourLine(rows)
  const first = new Set(rows.filter((row) => !spared.has(row.pid) && fits(row)).map((row) => row.pid))
  for (const pid of roots) if (!spared.has(pid) && rows.some((row) => row.pid === pid)) first.add(pid)
  const all = new Set([...first, ...descendantsOf(first, rows)])
  for (const pid of spared) all.delete(pid)
  for (const pid of all) send(pid, signal)
  return all
}

function hasMark(row: ProcessRow, id: string): boolean {
  return row.proc !== '' && row.proc.split('/').includes(id)
}
