import { describe, expect, it } from 'vitest'
import { type CliEnd, outcomeOf } from './outcome.ts'
import type { CliEvent } from './port.ts'

const SAID: CliEvent = { t: 'text', text: 'Done.', final: true }
const SUCCESS: CliEvent = { t: 'success', text: 'Done.' }
const CALL: CliEvent[] = [
  { t: 'tool', id: '1', phase: 'start', kind: 'edit', name: 'edit' },
  { t: 'tool', id: '1', phase: 'end', kind: 'edit', name: 'edit', ok: true },
]

function end(over: Partial<CliEnd> = {}): CliEnd {
  return { code: 0, signal: null, stderr: '', stopped: null, write: true, changed: false, ...over }
}

function short(events: CliEvent[], over: Partial<CliEnd> = {}) {
  const { status, class: kind, problem } = outcomeOf(events, end(over))
  return { status, class: kind, problem }
}

const COMPLETED = { status: 'completed', class: null, problem: '' }

describe('what counts as completed', () => {
  it('is a last word of success, exit code 0, and work: a call of a tool or a changed tree', () => {
    expect(short([SAID, ...CALL, SUCCESS])).toEqual(COMPLETED)
    expect(short([SAID, SUCCESS], { changed: true })).toEqual(COMPLETED)
  })

  it('is words alone only for a role that does not write', () => {
    expect(short([SAID, SUCCESS], { write: false })).toEqual(COMPLETED)
    expect(short([SAID, SUCCESS])).toEqual({
      status: 'failed',
      class: 'bad_output',
      problem: 'It said that it was done, but called no tool and changed nothing.',
    })
  })

  it('is nothing without the last word', () => {
    expect(short([SAID, ...CALL], { changed: true })).toEqual({
      status: 'failed',
      class: 'bad_output',
      problem: 'It ended in the middle: its last event is missing.',
    })
  })

  it('is nothing after an error, whatever follows', () => {
    const error: CliEvent = { t: 'error', class: 'overloaded', problem: 'at capacity', status: 529, retryAfterMs: 4000 }
    expect(outcomeOf([...CALL, error, SUCCESS], end({ changed: true }))).toMatchObject({
      status: 'failed',
      class: 'overloaded',
      problem: 'at capacity',
      httpStatus: 529,
      retryAfterMs: 4000,
    })
  })

  it('is not disturbed by tries of its own', () => {
    const retry: CliEvent = { t: 'retry', class: 'rate_limited', problem: '429', status: 429 }
    expect(short([retry, retry, ...CALL, SUCCESS])).toEqual(COMPLETED)
  })

  it('is nothing with another exit code', () => {
    expect(short([...CALL, SUCCESS], { code: 3, stderr: 'out of paper' })).toEqual({
      status: 'failed',
      class: 'crashed',
      problem: 'It ended with exit code 3: out of paper',
    })
    expect(short([], { code: null, signal: 'SIGSEGV' })).toEqual({
      status: 'failed',
      class: 'crashed',
      problem: 'It ended with signal SIGSEGV.',
    })
  })

  it('is refused when there was neither a word, a call nor a change', () => {
    const problem = 'It ended without a word, a call of a tool or a change.'
    expect(short([])).toEqual({ status: 'failed', class: 'refused', problem })
    expect(short([{ t: 'success' }], { write: false })).toEqual({ status: 'failed', class: 'refused', problem })
  })

  it('is refused when a role that writes only said no', () => {
    const no: CliEvent = { t: 'text', text: 'I cannot help with that.', final: true }
    expect(short([no, { t: 'success' }])).toEqual({
      status: 'failed',
      class: 'refused',
      problem: 'The model declined: I cannot help with that.',
    })
    expect(short([no, { t: 'success' }], { write: false })).toEqual(COMPLETED)
  })
})

describe('what else an end can be', () => {
  it('is what the runner did, before all that the program said', () => {
    const stopped: CliEnd['stopped'] = { status: 'failed', class: 'timeout', problem: 'Nothing for 120 s.' }
    expect(short([...CALL, SUCCESS], { stopped, changed: true })).toEqual(stopped)
    expect(
      short([{ t: 'error', class: 'auth', problem: '401' }], { stopped: { status: 'aborted', class: null, problem: 'Stopped.' } }),
    ).toEqual({
      status: 'aborted',
      class: null,
      problem: 'Stopped.',
    })
  })

  it('is a limit of its own, also when it calls that a success', () => {
    expect(short([...CALL, { t: 'limit', problem: 'turns' }, SUCCESS])).toEqual({ status: 'limited', class: null, problem: 'turns' })
  })

  it('is what its last try failed of, when it was killed while trying', () => {
    const retry: CliEvent = { t: 'retry', class: 'network', problem: 'connection refused' }
    expect(short([retry], { code: null, signal: 'SIGKILL' })).toEqual({
      status: 'failed',
      class: 'network',
      problem: 'It ended with signal SIGKILL: connection refused',
    })
    // It had gone on since.
    expect(short([retry, SAID], { code: 1 })).toMatchObject({ class: 'crashed' })
  })

  it('is what stderr says, when no event says it', () => {
    expect(short([], { code: 1, stderr: 'Error: 401 invalid api key' })).toMatchObject({ class: 'auth' })
  })

  it('is the error with a class, should one without follow', () => {
    const events: CliEvent[] = [
      { t: 'error', class: 'auth', problem: '401' },
      { t: 'error', class: null, problem: 'Exec failed' },
    ]
    expect(short(events, { code: 1 })).toEqual({ status: 'failed', class: 'auth', problem: '401' })
    expect(short([{ t: 'error', class: null, problem: '' }], { code: 1 })).toMatchObject({
      class: 'crashed',
      problem: 'It failed without a word.',
    })
  })
})

describe('sums', () => {
  it('adds up turns, and a total replaces them', () => {
    const turn: CliEvent = { t: 'usage', scope: 'turn', input: 10, output: 1, cached: 4, costUsd: 0.5 }
    expect(outcomeOf([turn, turn], end())).toMatchObject({
      usage: { input: 20, output: 2, cached: 8, written: 0, costUsd: 1 },
      turns: 2,
    })
    expect(outcomeOf([turn, { t: 'usage', scope: 'total', input: 7, output: 3 }], end()).usage).toEqual({
      input: 7,
      output: 3,
      cached: 0,
      written: 0,
      costUsd: null,
    })
    expect(outcomeOf([], end()).usage).toBeNull()
  })

  it('joins pieces of one message and keeps the last message', () => {
    const piece = (text: string): CliEvent => ({ t: 'text', text })
    expect(outcomeOf([piece('Let me '), piece('look.'), ...CALL, piece('It '), piece('works.')], end()).text).toBe('It works.')
    expect(outcomeOf([SAID, piece('More'), piece('.')], end()).text).toBe('More.')
    expect(outcomeOf([SAID, ...CALL], end()).text).toBe('Done.')
  })

  it('holds no more of endless output than it needs', () => {
    function* endless(): Generator<CliEvent> {
      for (let i = 0; i < 200; i++) yield { t: 'text', text: 'x'.repeat(100_000) }
      for (let i = 0; i < 1000; i++) yield { t: 'denied', tool: 'edit', target: 'a' }
    }
    const { text, denied } = outcomeOf(endless(), end())
    expect([text.length, denied.length]).toEqual([4 * 1024 * 1024, 100])
  })
})
