import type { Cost, Usage } from '../core/run.ts'

/** `4s`, `2m 05s`, `1h 03m`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return ms < 9_950 && ms % 1000 !== 0 ? `${(ms / 1000).toFixed(1)}s` : `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m ${two(seconds % 60)}s`
  return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** `just now`, `5 min ago`, `3 h ago`, `2 d ago`. */
export function ago(then: number, now: number): string {
  const minutes = Math.floor((now - then) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min ago`
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`
  return `${Math.floor(minutes / 60 / 24)} d ago`
}

/** `1.2k`, `980`. */
export function count(value: number): string {
  if (value < 1000) return String(value)
  if (value < 1_000_000) return `${trim(value / 1000)}k`
  return `${trim(value / 1_000_000)}M`
}

function trim(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '')
}

/** Money, or that no price is known: unknown is not free. */
export function money(cost: Cost): string {
  if (cost === null) return 'cost unknown'
  return cost === 0 ? '$0' : cost < 0.01 ? '<$0.01' : `$${cost.toFixed(2)}`
}

/** `12.3k tokens in 4 calls, $0.02`; with the known part of a sum that lacks something: `$0.02 + unknown`. */
export function spent(usage: Usage, cost: Cost, known = 0): string {
  const tokens = usage.inputTokens + usage.outputTokens
  const sum = cost === null && known > 0 ? `${money(known)} + unknown` : money(cost)
  return `${count(tokens)} tokens in ${usage.requests} ${usage.requests === 1 ? 'call' : 'calls'}, ${sum}`
}
