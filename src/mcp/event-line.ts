import type { RunEvent } from '../core/event.ts'
import { forModel, oneLine } from '../core/hostile-text.ts'
import type { Json } from '../core/json.ts'

// A line that a model reads; the whole event is in the REST API.
const MOST = 400

/** For programs: a model has nothing of them. */
const FIGURES = new Set(['usage', 'request', 'charged'])

/** What an event says, in words: the fields that tell something, in the order in which they are. */
export function said({ data }: RunEvent): string {
  const parts = Object.entries(data).flatMap(([key, value]) => {
    const text = FIGURES.has(key) ? '' : textOf(value)
    return text === '' ? [] : [`${key}: ${text}`]
  })
  return oneLine(parts.join('; '))
}

/** An event as a line of a log: number, time, what happened. */
export function logLine(event: RunEvent): string {
  const time = new Date(event.ts).toISOString().slice(11, 19)
  const text = said(event)
  return forModel(`${event.seq} ${time} ${event.type}${text === '' ? '' : ` ${cut(text)}`}`)
}

export function cut(text: string, most = MOST): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}

function textOf(value: Json): string {
  if (typeof value === 'string') return value
  return value === null || value === undefined ? '' : JSON.stringify(value)
}
