import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PREFIX = 'reeve-meter-'
const OURS = /^reeve-meter-(\d+)-/
// The address of a unix socket is a field of 104 bytes on some systems.
const LONGEST_SOCKET_PATH = 100

/**
 * A fresh folder for a socket, closed to others; the caller removes it. In `shared`, or among the temporary files where the path would be too
 * long for a socket. What killed processes left there is removed.
 */
export async function makeSocketFolder(shared: string): Promise<string> {
  const name = `${PREFIX}${process.pid}-`
  const isShort = Buffer.byteLength(join(shared, `${name}XXXXXX/s`)) <= LONGEST_SOCKET_PATH
  const parent = isShort ? shared : tmpdir()
  await mkdir(parent, { recursive: true, mode: 0o700 })
  await removeAbandoned(parent)
  return await mkdtemp(join(parent, name))
}

async function removeAbandoned(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => [])
  const abandoned = names.filter((name) => {
    const pid = OURS.exec(name)?.[1]
    return pid !== undefined && !isRunning(Number(pid))
  })
  // What belongs to another user stays.
  await Promise.allSettled(abandoned.map((it) => rm(join(parent, it), { recursive: true, force: true })))
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
