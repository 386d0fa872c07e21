import { createHash } from 'node:crypto'

/** An id of so many hexadecimal characters that the same words give again. */
export function idOf(words: string, characters: 16 | 32): string {
  return createHash('sha256').update(words).digest('hex').slice(0, characters)
}

/** The trace and the span of a `traceparent` header as W3C has it; null for anything else. */
export function readTraceparent(text: string): { trace: string; span: string } | null {
  const [, trace, span] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(text) ?? []
  return trace === undefined || span === undefined || /^0+$/.test(trace) || /^0+$/.test(span) ? null : { trace, span }
}
