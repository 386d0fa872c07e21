import { readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

// A control file takes what is written to it in one call, and says no by an error.

/** The text of a control file, '' when it is not there or may not be read. */
export async function read(folder: string, file: string): Promise<string> {
  return await readFile(`${folder}/${file}`, 'latin1').catch(() => '')
}

/** False when the kernel refuses it. */
export async function write(folder: string, file: string, value: string | number, flag: 'w' | 'r+' = 'w'): Promise<boolean> {
  return await writeFile(`${folder}/${file}`, `${value}\n`, { flag }).then(
    () => true,
    () => false,
  )
}

/** The number behind a name in a file of `name number` lines; 0 when it is not there. */
export async function counter(folder: string, file: string, name: string): Promise<number> {
  const text = await read(folder, file)
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
}

/** Names of the groups below one. */
export async function folders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries.filter((it) => it.isDirectory()).map((it) => it.name)
}

const ROUNDS = 100

/** Kills what is in a group; one that starts processes meanwhile takes more than one round. */
export async function sweepGroup(folder: string): Promise<void> {
  for (let round = 0; round < ROUNDS && (await read(folder, 'cgroup.procs')) !== ''; round++) {
    if (round > 0) await delay(5)
    await kill(folder)
  }
}

/** Kills what is in a group and removes it. A group whose last process is still ending cannot be removed yet. */
export async function removeGroup(folder: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await kill(folder)
    const gone = await rmdir(folder).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    )
    if (gone) return
    await delay(5)
  }
}

async function kill(folder: string): Promise<void> {
  if (await write(folder, 'cgroup.kill', 1, 'r+')) return
  // Version 1 has no file that kills all.
  const pids = (await read(folder, 'cgroup.procs')).split('\n').filter((it) => it !== '')
  for (const pid of pids) {
    if (Number(pid) === process.pid) continue
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // ended meanwhile
    }
  }
}
