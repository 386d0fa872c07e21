import type { FileHandle } from 'node:fs/promises'

const CHUNK = 1024 * 1024

/** Reads a file from its beginning, little endian, in pieces; at most `limit` bytes. Throws an `Error` with a sentence beyond it or at the end. */
export interface ByteReader {
  bytes(count: number): Promise<Buffer>
  skip(count: number): Promise<void>
  u32(): Promise<number>
  /** Throws for numbers that JavaScript cannot hold: none of a real file is that large. */
  u64(): Promise<number>
  /** Bytes read so far. */
  at(): number
}

export function byteReader(file: FileHandle, limit: number): ByteReader {
  let buffered = Buffer.alloc(0)
  let start = 0
  let offset = 0

  async function need(count: number): Promise<void> {
    if (start + offset + count > limit) throw new Error(`its header is longer than ${Math.round(limit / CHUNK)} MiB`)
    if (offset + count <= buffered.length) return
    start += offset
    const wanted = Buffer.alloc(Math.max(CHUNK, count))
    const { bytesRead } = await file.read(wanted, 0, wanted.length, start)
    if (bytesRead < count) throw new Error('it ends in the middle of its header')
    buffered = wanted.subarray(0, bytesRead)
    offset = 0
  }

  async function bytes(count: number): Promise<Buffer> {
    await need(count)
    offset += count
    return buffered.subarray(offset - count, offset)
  }

  return {
    bytes,
    async skip(count) {
      // In pieces: what is skipped must be there, and need not be kept.
      for (let left = count; left > 0; left -= CHUNK) await bytes(Math.min(left, CHUNK))
    },
    u32: async () => (await bytes(4)).readUInt32LE(),
    async u64() {
      const value = (await bytes(8)).readBigUInt64LE()
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error('a number in its header makes no sense')
      return Number(value)
    },
    at: () => start + offset,
  }
}
