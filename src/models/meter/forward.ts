import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { systemClock } from '../../core/clock.ts'
import type { Redact } from '../../core/redact.ts'
import { classify } from '../classify.ts'
import { ProviderFailure } from '../guard.ts'
import type { ReachedLimit } from './budget.ts'
import { headersBack } from './keys.ts'
import type { MeterDialect, MeterOptions } from './port.ts'
import { say } from './say.ts'
import { createSilence } from './silence.ts'
import { newTally, type Tally } from './tally.ts'
import { createTap } from './tap.ts'

/** One request on its way to the provider, and its answer on the way back; nothing is held but a line. */
export interface Outgoing {
  body: ReadableStream<Uint8Array>
  response: ServerResponse
  url: string
  headers: Record<string, string>
  dialect: MeterDialect
  options: Pick<MeterOptions, 'fetch' | 'idleMs' | 'firstByteMs' | 'requestMs'>
  /** Takes keys out of what the provider says. */
  redact: Redact
  alive: () => void
  /** May an answer that has come so far go on? Says which limit it passes. */
  passes: (tally: Tally) => ReachedLimit | null
  /** The proxy is being closed. */
  closing: AbortSignal
}

export interface Outcome {
  tally: Tally
  status: number | null
  /** null: it was answered to its end. */
  failure: ProviderFailure | null
  /** Something of an answer came, or may have been made: it may have to be paid. */
  begun: boolean
  /** It was ended because it passed this. */
  limit: ReachedLimit | null
}

/** An answer that takes more than there is. */
class Overdrawn extends Error {
  readonly limit: ReachedLimit

  constructor(limit: ReachedLimit) {
    super(limit.problem)
    this.limit = limit
  }
}

/** A redirection would have the key go with it. */
const MOVED = /unexpected redirect/
/** An error is a sentence; a page of it is not needed to know which. */
const MOST_ERROR = 65_536

/** Sends it on. Must not throw: what went wrong is in the outcome, and the program has been told. */
export async function forward(out: Outgoing): Promise<Outcome> {
  const tally = newTally()
  const state = { tally, status: null as number | null, begun: false, limit: null }
  const gone = new AbortController()
  const onClose = () => gone.abort(new ProviderFailure('aborted', 'The program did not wait for the answer.', { final: true }))
  out.response.once('close', onClose)
  const silence = createSilence({ ...out.options, firstByteMs: out.options.firstByteMs ?? out.options.idleMs })
  const signal = AbortSignal.any([gone.signal, silence.signal, out.closing])
  try {
    const answer = await (out.options.fetch ?? fetch)(out.url, {
      method: 'POST',
      headers: out.headers,
      // Not held: it goes on as it comes. With a window, or where redirections are not errors, fetch keeps a copy of all that it sends.
      body: out.body,
      duplex: 'half',
      redirect: 'error',
      window: null,
      signal,
    })
    state.status = answer.status
    silence.heard()
    out.alive()
    if (answer.status !== 200) return { ...state, failure: await refused(out, answer) }
    state.begun = true
    await passBack(out, answer, tally, silence.heard)
    const failure = failureIn(tally, out.redact)
    out.response.off('close', onClose)
    // The program sees the same as we do: an answer that does not end.
    if (failure === null || tally.error !== null || tally.refused) out.response.end()
    else out.response.destroy()
    return { ...state, failure }
  } catch (error) {
    out.response.off('close', onClose)
    if (error instanceof Overdrawn) {
      out.response.destroy()
      return { ...state, failure: null, limit: error.limit }
    }
    // Some programs leave as soon as they have all they want.
    if (gone.signal.aborted && tally.finished) return { ...state, failure: null }
    const failure = failureOf(error, signal, out.redact)
    say(out.response, out.dialect, { status: failure.class === 'timeout' ? 504 : 502, message: failure.message })
    return { ...state, begun: state.begun || failure.class === 'timeout' || failure.class === 'aborted', failure }
  } finally {
    // What is still under way at the provider ends, too.
    gone.abort()
    silence.end()
  }
}

async function passBack(out: Outgoing, answer: Response, tally: Tally, heard: () => void): Promise<void> {
  const tap = createTap(tally, out.dialect, answer.headers.get('content-type') ?? '')
  out.response.writeHead(answer.status, headersBack(answer.headers, out.redact))
  out.response.flushHeaders()
  for await (const piece of answer.body ?? []) {
    heard()
    out.alive()
    tap.add(piece)
    const limit = out.passes(tally)
    if (limit !== null) throw new Overdrawn(limit)
    if (out.response.write(piece)) continue
    // A program that reads slowly slows the provider down, not us. `close` aborts the whole.
    await drained(out.response)
    heard()
  }
  tap.end()
}

async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return
  const over = new AbortController()
  const { signal } = over
  const waits = [once(response, 'drain', { signal }), once(response, 'close', { signal })]
  try {
    await Promise.race(waits)
  } finally {
    over.abort()
    await Promise.allSettled(waits)
  }
}

async function refused({ response, redact }: Outgoing, answer: Response): Promise<ProviderFailure> {
  const text = redact(await textOf(answer, MOST_ERROR))
  const failure = classify(
    {
      statusCode: answer.status,
      responseHeaders: Object.fromEntries(answer.headers),
      responseBody: text,
      message: messageIn(text),
    },
    systemClock.now(),
  )
  response.writeHead(answer.status, headersBack(answer.headers, redact)).end(text)
  return failure
}

/** The beginning of an answer. */
export async function textOf({ body }: Response, most: number): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body ?? []) {
    pieces.push(piece)
    size += piece.length
    if (size > most) break
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** The sentence in an error's JSON, else its beginning. */
function messageIn(text: string): string {
  const found = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? /"error"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1]
  return (found ?? text).slice(0, 300)
}

/** What an answer with a good status says all the same. */
function failureIn(tally: Tally, redact: Redact): ProviderFailure | null {
  if (tally.error !== null) {
    const said = redact(tally.error)
    return classify({ message: messageIn(said), responseBody: said }, systemClock.now())
  }
  if (tally.refused) return new ProviderFailure('refused', 'The model declined to answer.', { final: true })
  return tally.finished ? null : new ProviderFailure('bad_output', 'The answer ended without saying that it was finished.')
}

function failureOf(error: unknown, signal: AbortSignal, redact: Redact): ProviderFailure {
  const reason: unknown = signal.aborted ? signal.reason : null
  if (reason instanceof ProviderFailure) return reason
  if (signal.aborted) return new ProviderFailure('aborted', 'The proxy was closed.', { final: true })
  const failure = classify(error, systemClock.now())
  if (MOVED.test(failure.message))
    return new ProviderFailure('config', 'The address leads somewhere else; nothing is sent there.', { final: true })
  // What fetch throws is a connection that did not come about or broke.
  const kind = failure.class === 'config' ? 'config' : 'network'
  return new ProviderFailure(kind, redact(failure.message), failure)
}
