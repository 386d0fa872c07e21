import { constants } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import type { Clock } from '../core/clock.ts'
import { problemOf } from '../core/errors.ts'
import { jsonText } from '../core/hostile-text.ts'

/** A file that lines are appended to. Never throws: what cannot be written is dropped, and the next line that can be says so. */
export interface LogFile {
  /** Takes one line with its line break; returns at once. */
  write: (line: string) => void
  /** Resolves when everything that was given so far is written or dropped. */
  flush(): Promise<void>
}

export interface LogFileOptions {
  path: string
  /** A new file is begun before one would be larger; `path` is always the one that is written to. */
  maxBytes: number
  /** Files that are kept, the one that is written to among them: `path`, `path.1`, ... `path.<files - 1>`, the oldest last. */
  files: number
  clock: Pick<Clock, 'now'>
}

// A disk that stalls must not fill the memory.
const MOST_WAITING_BYTES = 8 * 1024 * 1024
// No link is followed: whoever put one there would choose what is written to.
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW

export function openLogFile(options: LogFileOptions): LogFile {
  let waiting: string[] = []
  let waitingBytes = 0
  let lost = 0
  let problem = ''
  let atWork: Promise<void> | null = null

  function drop(count: number, why: string): void {
    lost += count
    problem = why
  }

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const lines = takeSome()
      const remark = lost === 0 ? '' : lostLine(options.clock.now(), lost, problem)
      try {
        await append(options, remark + lines.join(''))
        if (remark !== '') lost = 0
      } catch (error) {
        drop(lines.length, problemOf(error))
      }
    }
    atWork = null
  }

  /** As many as fit into one file, at least one. */
  function takeSome(): string[] {
    let bytes = 0
    const most = waiting.findIndex((it, at) => (bytes += Buffer.byteLength(it)) > options.maxBytes && at > 0)
    const lines = most < 0 ? waiting : waiting.slice(0, most)
    waiting = most < 0 ? [] : waiting.slice(most)
    waitingBytes -= lines.reduce((sum, it) => sum + it.length, 0)
    return lines
  }

  return {
    write(line) {
      if (waitingBytes + line.length > MOST_WAITING_BYTES) {
        drop(1, 'they came faster than they could be written')
        return
      }
      waiting.push(line)
      waitingBytes += line.length
      // Not at once: lines of the same moment are written together.
      atWork ??= Promise.resolve().then(work)
    },
    async flush() {
      await atWork
    },
  }
}

function lostLine(now: number, lost: number, problem: string): string {
  const message = `${lost} ${lost === 1 ? 'line' : 'lines'} of this log could not be written: ${problem}`
  return `${jsonText({ time: new Date(now).toISOString(), level: 'warn', message })}\n`
}

/** Opened each time: the file may have been moved or removed by somebody else. */
async function append(options: LogFileOptions, text: string): Promise<void> {
  if (await isFull(options, Buffer.byteLength(text))) await rotate(options)
  const file = await open(options.path, FLAGS, 0o600)
  const { size } = await file.stat()
  try {
    await file.appendFile(text)
  } catch (error) {
    // A full disk takes the first half of a line.
    await file.truncate(size).catch(() => undefined)
    throw error
  } finally {
    await file.close().catch(() => undefined)
  }
}

async function isFull({ path, maxBytes }: LogFileOptions, more: number): Promise<boolean> {
  const file = await open(path, FLAGS, 0o600)
  try {
    const { size } = await file.stat()
    return size > 0 && size + more > maxBytes
  } finally {
    await file.close()
  }
}

/** Each file takes the place of the one before it. Where that fails, the log goes on in the file that it has. */
async function rotate({ path, files }: LogFileOptions): Promise<void> {
  const place = (number: number) => (number === 0 ? path : `${path}.${number}`)
  // Those beyond: fewer are kept now than were before.
  for (let number = Math.max(files - 1, 1); await removed(place(number)); number++);
  for (let number = files - 1; number > 0; number--) {
    await rename(place(number - 1), place(number)).catch(() => undefined)
  }
  if (files === 1) await rm(path, { force: true }).catch(() => undefined)
}

async function removed(path: string): Promise<boolean> {
  try {
    await rm(path)
    return true
  } catch {
    return false
  }
}
