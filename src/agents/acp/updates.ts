import type { Json } from '../../core/json.ts'
import { classOf, problemIn } from '../cli/classify.ts'
import { at, type Fields, fieldsAt, listAt, numberAt, textAt } from '../cli/line.ts'
import type { CliEvent } from '../cli/port.ts'
import { targetOf } from '../cli/tool-call.ts'

type ToolEvent = Extract<CliEvent, { t: 'tool' }>
type Usage = Extract<CliEvent, { t: 'usage' }>

const KINDS: ReadonlyMap<string, ToolEvent['kind']> = new Map([
  ['read', 'read'],
  ['edit', 'edit'],
  ['delete', 'edit'],
  ['move', 'edit'],
  ['search', 'search'],
  ['fetch', 'search'],
  ['execute', 'execute'],
])
const OUTPUT_LENGTH = 2000

/** Reads what an agent tells of one session. What it does not know is nothing. */
export interface Updates {
  update(update: Fields): CliEvent[]
  /** A prompt was answered. */
  answered(response: Fields): CliEvent[]
}

export function readUpdates(): Updates {
  const calls = new Map<string, ToolEvent>()
  let usage: Usage | null = null
  let cost: number | undefined
  /** Has anything come since the last prompt? An agent whose provider refused it may end its turn as if all were well. */
  let came = false

  function begun(it: Fields): CliEvent[] {
    const id = textAt(it, 'toolCallId')
    if (calls.has(id)) return []
    const call: ToolEvent = { t: 'tool', id, phase: 'start', kind: kindOf(it), name: nameOf(it), target: placeOf(it) }
    calls.set(id, call)
    return [call]
  }

  function ended(it: Fields): CliEvent[] {
    const status = textAt(it, 'status')
    const call = calls.get(textAt(it, 'toolCallId'))
    if ((status !== 'completed' && status !== 'failed') || call === undefined || call.phase === 'end') return []
    const target = placeOf(it) || (call.target ?? '')
    const end: ToolEvent = { ...call, phase: 'end', target, ok: status === 'completed', output: outputOf(it) }
    calls.set(call.id, end)
    return [end]
  }

  /** It counts over the whole session: what is new is told. */
  function used(now: Usage | null): CliEvent[] {
    if (now === null) return []
    const last = usage
    usage = now
    if (last === null || now.input < last.input || now.output < last.output) return [now]
    const since = (a: number | undefined, b: number | undefined) => Math.max(0, (a ?? 0) - (b ?? 0))
    const more: Usage = {
      ...now,
      input: now.input - last.input,
      output: now.output - last.output,
      cached: since(now.cached, last.cached),
      written: since(now.written, last.written),
    }
    return [now.costUsd === undefined ? more : { ...more, costUsd: since(now.costUsd, last.costUsd) }]
  }

  return {
    update(it) {
      const events = readUpdate(it)
      came ||= events.some((event) => event.t !== 'notice')
      return events
    },
    answered(response) {
      const report = usageIn(response, cost)
      const something = came || report !== null
      came = false
      return [...used(report), ...verdict(textAt(response, 'stopReason'), something)]
    },
  }

  function readUpdate(it: Fields): CliEvent[] {
    switch (it['sessionUpdate']) {
      case 'agent_message_chunk':
        return said('text', it)
      case 'agent_thought_chunk':
        return said('thinking', it)
      case 'tool_call':
      case 'tool_call_update':
        // An update may be the first that is heard of a call.
        return [...begun(it), ...ended(it)]
      case 'usage_update':
        if (textAt(it, 'cost.currency') === 'USD') cost = numberAt(it, 'cost.amount')
        return []
      case 'notice':
        return [{ t: 'notice', level: it['severity'] === 'info' ? 'info' : 'warning', text: problemIn(textAt(it, 'title')) }]
      default:
        return []
    }
  }
}

function said(t: 'text' | 'thinking', it: Fields): CliEvent[] {
  const text = textAt(it, 'content.text')
  return text === '' ? [] : [{ t, text }]
}

function kindOf(it: Fields): ToolEvent['kind'] {
  return KINDS.get(textAt(it, 'kind')) ?? 'other'
}

function nameOf(it: Fields): string {
  return textAt(it, 'name') || textAt(it, 'kind') || problemIn(textAt(it, 'title')) || 'tool'
}

function placeOf(it: Fields): string {
  return textAt(it, 'locations.0.path') || targetOf(at(it, 'rawInput')) || problemIn(textAt(it, 'title'))
}

function outputOf(it: Fields): string {
  const blocks = listAt(it, 'content').map((block) => textAt(block, 'content.text'))
  const raw = at(it, 'rawOutput')
  const text = blocks.filter((one) => one !== '').join('\n') || (typeof raw === 'string' ? raw : textAt(raw, 'output'))
  return text.slice(0, OUTPUT_LENGTH)
}

/** The protocol's own place for it, and the one that an agent has used before there was one. */
function usageIn(response: Fields, costUsd: number | undefined): Usage | null {
  const own = fieldsAt(response, 'usage')
  const quota = fieldsAt(response, '_meta.quota.token_count')
  const cached = numberAt(own, 'cachedReadTokens')
  const written = numberAt(own, 'cachedWriteTokens')
  const input = numberAt(own, 'inputTokens') || numberAt(quota, 'input_tokens')
  const output = numberAt(own, 'outputTokens') + numberAt(own, 'thoughtTokens') || numberAt(quota, 'output_tokens')
  if (input + output === 0 && costUsd === undefined) return null
  // The parts that came from a cache are counted apart.
  return { t: 'usage', scope: 'turn', input: input + cached + written, output, cached, written, ...(costUsd !== undefined && { costUsd }) }
}

function verdict(reason: string, something: boolean): CliEvent[] {
  if (reason === 'max_turn_requests') return [{ t: 'limit', problem: 'Its own limit of model requests is reached.' }]
  if (reason === 'refusal') return [{ t: 'error', class: 'refused', problem: 'The model refused to answer.' }]
  if (reason === 'max_tokens') return [{ t: 'error', class: 'bad_output', problem: 'The answer was cut at the output limit.' }]
  if (reason === 'cancelled') return [{ t: 'error', class: null, problem: 'It cancelled its turn.' }]
  if (!something) return [{ t: 'error', class: 'bad_output', problem: 'It ended its turn without a word, a call of a tool or a figure.' }]
  return [{ t: 'success' }]
}

/** An error that a request was answered with. */
export function errorEvent(error: { code: number; message: string; data?: unknown }): CliEvent {
  const { code, message } = error
  const details = detailsOf(error.data as Json | undefined)
  const text = details === '' || message.includes(details) ? message : `${message}: ${details}`
  // The protocol's code for "log in first"; some send the HTTP status instead.
  const kind = code === -32_000 && /authenticat|log ?in/i.test(text) ? 'auth' : classOf(text, code >= 100 && code < 600 ? code : undefined)
  return { t: 'error', class: kind, problem: problemIn(text), ...(code >= 100 && code < 600 && { status: code }) }
}

function detailsOf(data: Json | undefined): string {
  if (typeof data === 'string') return data
  return textAt(data, 'details') || textAt(data, 'message') || textAt(data, 'error.message') || textAt(data, 'error')
}
