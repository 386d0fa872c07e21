import { StringDecoder } from 'node:string_decoder'
import { type Json, parseJson } from '../../core/json.ts'
import type { MeterDialect } from './port.ts'
import { type Tally, tallyUp } from './tally.ts'

/** Reads an answer while it passes: holds one line of a stream at most, or a whole answer that is no stream. */
export interface Tap {
  add(piece: Uint8Array): void
  end(): void
}

/** A line of the last event has the whole answer in some dialects. What is longer passes unread. */
const MOST_HELD = 16 * 1024 * 1024

export function createTap(tally: Tally, dialect: MeterDialect, contentType: string): Tap {
  const take = (text: string) => {
    const value = jsonIn(text)
    if (value !== undefined) for (const it of Array.isArray(value) ? value : [value]) tallyUp(tally, dialect, it)
  }
  return contentType.includes('text/event-stream') ? lineTap(take) : wholeTap(take)
}

function lineTap(take: (data: string) => void): Tap {
  const decoder = new StringDecoder('utf8')
  let held = ''
  let skipping = false
  const line = (text: string) => {
    if (!skipping && text.startsWith('data:')) take(text.slice(5))
    skipping = false
  }
  const add = (text: string) => {
    let from = 0
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      line(held + text.slice(from, at))
      held = ''
      from = at + 1
    }
    held += text.slice(from)
    if (held.length <= MOST_HELD) return
    held = ''
    skipping = true
  }
  return {
    add: (piece) => add(decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))),
    end: () => line(held),
  }
}

function wholeTap(take: (text: string) => void): Tap {
  const pieces: Uint8Array[] = []
  let size = 0
  return {
    add(piece) {
      size += piece.length
      if (size <= MOST_HELD) pieces.push(piece)
      else pieces.length = 0
    },
    end: () => take(Buffer.concat(pieces).toString('utf8')),
  }
}

/** undefined: it is none, such as the `[DONE]` at the end of a stream. */
function jsonIn(text: string): Json | undefined {
  try {
    return parseJson(text, 'the answer')
  } catch {
    return undefined
  }
}
