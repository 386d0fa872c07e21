import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

const OURS = /^(?:out|probe)-(\d+)-/

/** A fresh folder of this process in one that reeve processes share: `<kind>-<pid>-<random>`, closed to others. The caller removes it. */
export async function makeOwnFolder(shared: string, kind: 'out' | 'probe'): Promise<string> {
  await mkdir(shared, { recursive: true, mode: 0o700 })
  return await mkdtemp(join(shared, `${kind}-${process.pid}-`))
}

/** Removes what processes that were killed left there. One whose number has been given again stays until that one has ended too. */
export async function removeAbandoned(shared: string): Promise<void> {
  const names = await readdir(shared).catch(() => [])
  const abandoned = names.filter((name) => {
    const pid = OURS.exec(name)?.[1]
    return pid !== undefined && !isRunning(Number(pid))
  })
  await Promise.all(abandoned.map((it) => rm(join(shared, it), { recursive: true, force: true })))
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // another user's
  }
}
