import type { ProviderErrorClass } from '../../models/port.ts'
import { classOf, declines, problemIn } from './classify.ts'
import type { CliEvent } from './port.ts'

/** How the process ended, and what the runner knows besides its events. */
export interface CliEnd {
  code: number | null
  signal: string | null
  /** Its last words on stderr. */
  stderr: string
  /** The runner ended it, and why; null: it ended by itself. Counts more than whatever it said. */
  stopped: { status: 'limited' | 'failed' | 'aborted'; class: ProviderErrorClass | null; problem: string } | null
  /** May the role write? Then words alone are no work. */
  write: boolean
  /** Has the tree changed? */
  changed: boolean
}

export interface CliOutcome {
  status: 'completed' | 'limited' | 'failed' | 'aborted'
  /** null unless it failed. */
  class: ProviderErrorClass | null
  /** A sentence, '' when completed. */
  problem: string
  /** HTTP status of what failed, where it was told. */
  httpStatus: number | null
  retryAfterMs: number | null
  text: string
  session: string | null
  model: string | null
  version: string | null
  turns: number
  /** Calls of tools that were begun. */
  tools: number
  denied: readonly { tool: string; target: string }[]
  /** As it reported it; null: it did not. */
  usage: { input: number; output: number; cached: number; written: number; costUsd: number | null } | null
}

/** Sums up events as they come. What it holds does not grow with their number. */
export interface Tally {
  add(event: CliEvent): void
  outcome(end: CliEnd): CliOutcome
}

const TEXT_LENGTH = 4 * 1024 * 1024
const DENIALS = 100

export function createTally(): Tally {
  const it: Omit<CliOutcome, 'denied'> & { denied: { tool: string; target: string }[] } = {
    status: 'failed',
    class: null,
    problem: '',
    httpStatus: null,
    retryAfterMs: null,
    text: '',
    session: null,
    model: null,
    version: null,
    turns: 0,
    tools: 0,
    denied: [],
    usage: null,
  }
  let success: Extract<CliEvent, { t: 'success' }> | null = null
  let error: Extract<CliEvent, { t: 'error' }> | null = null
  let limit: string | null = null
  let retry: Extract<CliEvent, { t: 'retry' }> | null = null
  // The next piece of text begins a new message.
  let fresh = true

  const add = (event: CliEvent): void => {
    switch (event.t) {
      case 'started':
        it.session = event.session || it.session
        it.model = event.model || it.model
        it.version = event.version || it.version
        return
      case 'text':
        retry = null
        if (event.final === true || fresh) it.text = event.text.slice(0, TEXT_LENGTH)
        else if (it.text.length < TEXT_LENGTH) it.text = (it.text + event.text).slice(0, TEXT_LENGTH)
        fresh = event.final === true
        return
      case 'tool':
        retry = null
        fresh = true
        if (event.phase === 'start') it.tools++
        return
      case 'usage':
        if (event.scope === 'turn') it.turns++
        it.usage = summed(event.scope === 'turn' ? it.usage : null, event)
        return
      case 'denied':
        if (it.denied.length < DENIALS) it.denied.push({ tool: event.tool, target: event.target })
        return
      case 'retry':
        retry = event
        return
      case 'error':
        if (event.class !== null || error === null) error = event
        return
      case 'limit':
        limit = event.problem
        return
      case 'success':
        success = event
        return
      case 'thinking':
      case 'notice':
        return
    }
  }

  const outcome = (end: CliEnd): CliOutcome => {
    const text = success?.text || it.text
    const turns = success?.turns || Math.max(it.turns, it.tools === 0 ? 0 : it.tools + (success === null ? 0 : 1))
    const known = { ...it, text, turns }
    const failed = (kind: ProviderErrorClass, problem: string): CliOutcome => ({ ...known, status: 'failed', class: kind, problem })

    if (end.stopped) return { ...known, ...end.stopped }
    if (limit !== null) return { ...known, status: 'limited', problem: limit }
    if (error !== null) {
      return {
        ...failed(error.class ?? 'crashed', error.problem || 'It failed without a word.'),
        httpStatus: error.status ?? null,
        retryAfterMs: error.retryAfterMs ?? null,
      }
    }
    const ending = end.signal === null ? `exit code ${end.code}` : `signal ${end.signal}`
    if (end.code !== 0) {
      const words = retry?.problem || problemIn(end.stderr)
      return failed(retry?.class ?? classOf(end.stderr) ?? 'crashed', `It ended with ${ending}${words === '' ? '.' : `: ${words}`}`)
    }
    const idle = it.tools === 0 && !end.changed
    if (idle && text.trim() === '') return failed('refused', 'It ended without a word, a call of a tool or a change.')
    if (success === null) return failed('bad_output', 'It ended in the middle: its last event is missing.')
    if (end.write && idle) return failed(...idleBecause(text, end.stderr))
    return { ...known, status: 'completed' }
  }
  return { add, outcome }
}

/** What a list of events comes to. */
export function outcomeOf(events: Iterable<CliEvent>, end: CliEnd): CliOutcome {
  const tally = createTally()
  for (const event of events) tally.add(event)
  return tally.outcome(end)
}

/** A role that writes only spoke. */
function idleBecause(text: string, stderr: string): [ProviderErrorClass, string] {
  if (declines(text)) return ['refused', `The model declined: ${problemIn(text)}`]
  // Codex, with its home below the temporary folder: none of its commands runs, and it does not say so.
  if (/refusing to create helper binaries/i.test(stderr)) return ['config', problemIn(stderr)]
  return ['bad_output', 'It said that it was done, but called no tool and changed nothing.']
}

function summed(before: CliOutcome['usage'], event: Extract<CliEvent, { t: 'usage' }>): NonNullable<CliOutcome['usage']> {
  const cost = event.costUsd ?? null
  return {
    input: (before?.input ?? 0) + event.input,
    output: (before?.output ?? 0) + event.output,
    cached: (before?.cached ?? 0) + (event.cached ?? 0),
    written: (before?.written ?? 0) + (event.written ?? 0),
    costUsd: cost === null ? (before?.costUsd ?? null) : (before?.costUsd ?? 0) + cost,
  }
}
