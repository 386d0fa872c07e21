/** Keeps the head and the tail of a stream in bounded memory and counts what it drops between them. */
export interface OutputCap {
  add(chunk: Uint8Array): void
  /** Bytes seen so far, dropped ones included. */
  seen(): number
  /** Bytes left out of `text()`. */
  dropped(): number
  /** What was kept; invalid UTF-8 becomes U+FFFD; a line in the middle says how many bytes are missing. */
  text(): string
}

export function outputCap(keepBytes: number): OutputCap {
  const headSize = Math.ceil(keepBytes / 2)
  const tailSize = Math.max(1, keepBytes - headSize)
  const head: Uint8Array[] = []
  let headBytes = 0
  let ring: Buffer | null = null // made when the head is full: most programs never need it
  let tailBytes = 0 // bytes that went to the ring in all; the last `tailSize` of them are in it

  function intoRing(chunk: Uint8Array): void {
    ring ??= Buffer.allocUnsafe(tailSize)
    const last = chunk.subarray(Math.max(0, chunk.length - tailSize))
    const at = (tailBytes + chunk.length - last.length) % tailSize
    const first = last.subarray(0, tailSize - at)
    ring.set(first, at)
    ring.set(last.subarray(first.length), 0)
    tailBytes += chunk.length
  }

  function tail(): Buffer {
    if (!ring) return Buffer.alloc(0)
    if (tailBytes <= tailSize) return ring.subarray(0, tailBytes)
    const at = tailBytes % tailSize
    return Buffer.concat([ring.subarray(at), ring.subarray(0, at)])
  }

  return {
    add(chunk) {
      const room = headSize - headBytes
      if (room > 0) {
        // A copy: the stream's buffer may be a slice of a much larger one.
        const part = Uint8Array.prototype.slice.call(chunk, 0, room)
        head.push(part)
        headBytes += part.length
      }
      if (chunk.length > room) intoRing(chunk.subarray(Math.max(0, room)))
    },
    seen: () => headBytes + tailBytes,
    dropped: () => Math.max(0, tailBytes - tailSize),
    text() {
      const missing = Math.max(0, tailBytes - tailSize)
      const start = Buffer.concat(head)
      if (missing === 0) return Buffer.concat([start, tail()]).toString('utf8')
      return `${withoutCutEnd(start).toString('utf8')}\n[... ${missing} bytes left out ...]\n${withoutCutStart(tail()).toString('utf8')}`
    },
  }
}

/** Drops a UTF-8 character that the cut left without its end. */
function withoutCutEnd(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return bytes
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return back < length ? bytes.subarray(0, bytes.length - back) : bytes
    }
  }
  return bytes
}

/** Drops the rest of a character whose beginning was cut off. */
function withoutCutStart(bytes: Buffer): Buffer {
  let at = 0
  while (at < 3 && at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at += 1
  return bytes.subarray(at)
}
