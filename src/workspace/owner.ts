import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { isAlive, thisProcess } from '../process/alive.ts'

const OwnerSchema = z.object({ pid: z.number(), started: z.string() })

/** Whether the process that a file names lives; `none` where no process is named. */
async function ownerIn(file: string): Promise<'alive' | 'dead' | 'none'> {
  const text = await readFile(file, 'utf8').catch(() => '')
  if (text === '') return 'none'
  const [pid, started = ''] = text.trim().split(' ')
  const owner = OwnerSchema.safeParse({ pid: Number(pid), started })
  return owner.success && (await isAlive(owner.data)) ? 'alive' : 'dead'
}

/**
 * Writes this process down as the one that works with a folder. Returns true when one before has died: then what it left half done may be
 * put in order. False when nobody had it, this process had it already, or another live one has it.
 */
export async function takeOver(file: string): Promise<boolean> {
  const before = await ownerIn(file)
  if (before === 'alive') return false
  const self = await thisProcess()
  await writeFile(`${file}.${self.pid}`, `${self.pid} ${self.started}\n`)
  await rename(`${file}.${self.pid}`, file)
  return before === 'dead'
}

// Two installs of the same thing never run for the same reason longer than one of them; a dead holder is noticed at once.
const POLL_MS = 100
// A folder without a name was let go a moment ago. Only a disk that has lost the name leaves one that stays so.
const MOST_NAMELESS = 100

/**
 * Does work that only one process and one run at a time should do. A holder that has died is passed over; should two find that at the same
 * moment, both may work: what is done here must bear it.
 */
export async function onlyOne<T>(folder: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let nameless = 0; !(await tryHold(folder)); ) {
    signal.throwIfAborted()
    const owner = await ownerIn(join(folder, 'owner'))
    nameless = owner === 'none' ? nameless + 1 : 0
    if (owner === 'dead' || nameless > MOST_NAMELESS) await letGo(folder)
    else await delay(owner === 'alive' ? POLL_MS : 1)
  }
  try {
    return await work()
  } finally {
    await letGo(folder)
  }
}

/** Moved aside whole: a folder that is emptied first would be taken by the next one before it is gone. */
async function letGo(folder: string): Promise<void> {
  const aside = await mkdtemp(`${folder}-`)
  await rename(folder, aside).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  await rm(aside, { recursive: true, force: true })
}

/** Made aside with the name in it and moved into place, so that a holder is never without a name. */
async function tryHold(folder: string): Promise<boolean> {
  const aside = await mkdtemp(`${folder}-`)
  await takeOver(join(aside, 'owner'))
  try {
    await rename(aside, folder)
    return true
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    return false
  }
}
