import { canonicalJson } from '../../core/json.ts'
import type { ToolCall } from '../../models/port.ts'

/** Told at the third time, ended at the fourth: twice can be care, three times is a circle. */
const TOLD_AT = 3

export interface Repeats {
  /** How often this call gave this result, with nothing changed in between. */
  count(call: ToolCall, result: string): 'fine' | 'tell' | 'end'
  /** Files were changed: the same call may well give something else now. */
  reset(): void
}

export function createRepeats(): Repeats {
  const seen = new Map<string, { result: string; times: number }>()
  return {
    count: (call, result) => {
      const key = `${call.name} ${canonicalJson(call.input)}`
      const before = seen.get(key)
      const times = before?.result === result ? before.times + 1 : 1
      seen.set(key, { result, times })
      if (times < TOLD_AT) return 'fine'
      return times === TOLD_AT ? 'tell' : 'end'
    },
    reset: () => seen.clear(),
  }
}
