import { type FileHandle, open, stat } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as delay } from 'node:timers/promises'

// Enough for a thousand long lines.
const TAIL_BYTES = 1024 * 1024
const CHUNK_BYTES = 64 * 1024
const LOOK_MS = 200

/** The last lines of a log; none where there is no file. */
export async function lastLinesOf(path: string, lines: number): Promise<string[]> {
  const file = await opened(path)
  if (file === null) return []
  try {
    return (await tail(file, lines)).lines
  } finally {
    await file.close()
  }
}

/** The last lines, then each new one, until the signal aborts; a file that was put aside is read to its end before the new one. */
export async function* followLog(path: string, lines: number, signal: AbortSignal): AsyncGenerator<string> {
  let file = await opened(path)
  let at = 0
  let half = ''
  // A piece of a long line may end within a character.
  let decoder = new StringDecoder('utf8')
  try {
    if (file !== null) {
      const last = await tail(file, lines)
      at = last.end
      yield* last.lines
    }
    while (!signal.aborted) {
      // Asked before the reading: what is written before a file is put aside is in it by then.
      const moved = file === null || (await isAnother(file, path))
      for (let part = await read(file, at); part.length > 0; part = await read(file, at)) {
        at += part.length
        const parts = (half + decoder.write(part)).split('\n')
        half = parts.pop() ?? ''
        yield* parts
      }
      if (!moved) {
        await delay(LOOK_MS, undefined, { signal }).catch(() => undefined)
        continue
      }
      await file?.close()
      file = await opened(path)
      at = 0
      half = ''
      decoder = new StringDecoder('utf8')
      if (file === null) await delay(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  } finally {
    await file?.close()
  }
}

function opened(path: string): Promise<FileHandle | null> {
  return open(path, 'r').catch(() => null)
}

async function isAnother(file: FileHandle, path: string): Promise<boolean> {
  const [own, named] = await Promise.all([file.stat(), stat(path).catch(() => null)])
  return named !== null && named.ino !== own.ino
}

async function read(file: FileHandle | null, at: number): Promise<Buffer> {
  if (file === null) return Buffer.alloc(0)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, at)
  const whole = bytesRead < CHUNK_BYTES ? buffer.lastIndexOf(10, bytesRead - 1) + 1 : bytesRead
  return buffer.subarray(0, Math.max(0, Math.min(whole, bytesRead)))
}

async function tail(file: FileHandle, lines: number): Promise<{ lines: string[]; end: number }> {
  const { size } = await file.stat()
  const from = Math.max(0, size - TAIL_BYTES)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from)
  const whole = buffer.subarray(0, buffer.lastIndexOf(10, Math.max(0, bytesRead - 1)) + 1)
  const all = whole.toString('utf8').split('\n').slice(0, -1)
  return { lines: lines === 0 ? [] : all.slice(-lines), end: from + whole.length }
}
