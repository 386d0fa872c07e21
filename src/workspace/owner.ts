import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { isAlive, thisProcess } from '../process/alive.ts'

const OwnerSchema = z.object({ pid: z.number(), started: z.string() })

/** The process that a file names, null when there is none or it has died. */
async function liveOwner(file: string): Promise<z.infer<typeof OwnerSchema> | null> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const [pid, started = ''] = text.trim().split(' ')
  const owner = OwnerSchema.safeParse({ pid: Number(pid), started })
  return owner.success && text !== '' && (await isAlive(owner.data)) ? owner.data : null
}

/**
 * Writes this process down as the one that works with a folder. Returns true when one before has died: then what it left half done may be
 * put in order. False when nobody had it, this process had it already, or another live one has it.
 */
export async function takeOver(file: string): Promise<boolean> {
  const before = await readFile(file, 'utf8').catch(() => '')
  if ((await liveOwner(file)) !== null) return false
  const self = await thisProcess()
  await writeFile(`${file}.${self.pid}`, `${self.pid} ${self.started}\n`)
  await rename(`${file}.${self.pid}`, file)
  return before !== ''
}

// Two installs of the same thing never run for the same reason longer than one of them; a dead holder is noticed at once.
const POLL_MS = 100

/**
 * Does work that only one process and one run at a time should do. A holder that has died is passed over; should two find that at the same
 * moment, both may work: what is done here must bear it.
 */
export async function onlyOne<T>(folder: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  while (!(await tryHold(folder))) {
    signal.throwIfAborted()
    if ((await liveOwner(join(folder, 'owner'))) === null) await rm(folder, { recursive: true, force: true })
    else await delay(POLL_MS)
  }
  try {
    return await work()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
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
