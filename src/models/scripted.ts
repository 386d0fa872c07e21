import { readFile } from 'node:fs/promises'
import { basename, matchesGlob, resolve } from 'node:path'
import { type Clock, systemClock } from '../core/clock.ts'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { ProviderSettings } from '../core/settings.ts'
import type { Admission } from './admission.ts'
import { ProviderFailure, type RawEvent, type RawTokens } from './guard.ts'
import { CONTEXT_TOKENS, limitsFrom } from './limits.ts'
import type { CallOrigin, GenerateRequest, ModelProvider } from './port.ts'
import { costOf, priceOf } from './prices.ts'
import { retriesOf, withRetries } from './retry.ts'
import { parseReplies, type ScriptedEntry, type ScriptedTurn } from './scripted-file.ts'
import { CHARS_PER_TOKEN, messageChars } from './tokens.ts'

const CHUNK = 65_536
const FILLER = 'All work and no play makes a long answer. '.repeat(Math.ceil(CHUNK / 42)).slice(0, CHUNK)

/**
 * How often a reply with `times` has failed, by file, reply, run and step. It must outlive the provider: a step that is tried
 * again makes a new one.
 */
const failures = new Map<string, number>()

/** A provider that answers from a YAML file of replies: for tests, examples, the demo, and for trying a workflow without a model. */
export async function createScripted(
  name: string,
  settings: ProviderSettings,
  deps: { projectRoot: string; clock?: Clock; admission?: Admission },
): Promise<ModelProvider> {
  const clock = deps.clock ?? systemClock
  const file = settings.file
  if (file === undefined) {
    throw new ReeveError('invalid_config', {
      where: `providers.${name}.file`,
      problem: 'a scripted provider needs the file of its replies',
    })
  }
  const path = resolve(deps.projectRoot, file)
  const replies = parseReplies(await readReplies(path, name, file), file)

  const model = settings.model ?? 'scripted'
  const price = priceOf(model, settings)
  return {
    name,
    model,
    price,
    capabilities: {
      tools: true,
      schema: false,
      contextTokens: settings.context_tokens ?? CONTEXT_TOKENS,
      outputTokens: settings.max_tokens,
    },
    generate: (request) =>
      withRetries((signal) => answer(request, turnFor(replies, request.origin, path), clock, signal), {
        ...retriesOf(settings, request, clock, deps.admission),
        maxRetries: 0,
        limits: limitsFrom(settings),
        price: (tokens) => costOf(tokens, price),
      }),
    health: async () => ({ ok: true, detail: `${replies.length} replies in ${file}` }),
  }
}

async function readReplies(path: string, name: string, file: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new ReeveError('invalid_config', { where: `providers.${name}.file`, problem: `"${file}" cannot be read: ${problemOf(error)}` })
  }
}

function fits(entry: ScriptedEntry, origin: CallOrigin): boolean {
  if (entry.role !== undefined && entry.role !== origin.role) return false
  if (entry.step !== undefined && !matchesGlob(origin.step, entry.step)) return false
  if (entry.task !== undefined && entry.task !== origin.task) return false
  if (entry.attempt !== undefined && entry.attempt !== origin.attempt) return false
  return entry.turn === undefined || entry.turn === origin.turn
}

/** The turn to play. Turns used up: the last one again if it calls nothing, else the last plain text, else "Done.", so that an agent comes to its end. */
function turnFor(replies: readonly ScriptedEntry[], origin: CallOrigin, path: string): ScriptedTurn {
  const entry = replies.find((it) => fits(it, origin))
  if (!entry) {
    const { role, step, attempt, turn } = origin
    return {
      fail: 'refused',
      problem: `${basename(path)} has no reply for role "${role}", step "${step}", attempt ${attempt}, turn ${turn}.`,
    }
  }
  const turns = entry.turns ?? [entry]
  const at = entry.turn === undefined ? origin.turn : 0
  const turn = turns[at] ?? lastOf(turns)
  if (turn.fail === undefined || turn.times === undefined) return turn

  const key = [path, replies.indexOf(entry), at, origin.run, origin.step].join('\n')
  const failed = failures.get(key) ?? 0
  failures.set(key, failed + 1)
  if (failed < turn.times) return turn
  const { fail: _fail, ...rest } = turn
  return rest.text === undefined && rest.calls === undefined && rest.text_bytes === undefined ? { ...rest, text: 'Done.' } : rest
}

function lastOf(turns: readonly ScriptedTurn[]): ScriptedTurn {
  const plain = turns.filter((it) => it.calls === undefined && it.raw_call === undefined)
  return plain.at(-1) === turns.at(-1)
    ? (plain.at(-1) ?? { text: 'Done.' })
    : { text: plain.findLast((it) => it.text !== undefined)?.text ?? 'Done.' }
}

async function* answer(request: GenerateRequest, turn: ScriptedTurn, clock: Clock, signal: AbortSignal): AsyncGenerator<RawEvent> {
  if (turn.stall !== undefined) await clock.sleep(turn.stall, signal)
  if (turn.delay !== undefined) await clock.sleep(turn.delay, signal)
  if (turn.fail !== undefined) {
    throw new ProviderFailure(turn.fail, turn.problem ?? `Scripted failure: ${turn.fail}.`, {
      retryAfterMs: turn.retry_after === undefined ? null : turn.retry_after * 1000,
      final: true,
    })
  }
  if (turn.garbage) throw new ProviderFailure('bad_output', 'The stream is not an answer: "<html>\\u0000garbage".', { final: true })

  let chars = 0
  if (turn.text) {
    chars += turn.text.length
    yield { type: 'text', text: turn.text }
  }
  for (let left = turn.text_bytes ?? 0; left > 0; left -= CHUNK) {
    chars += Math.min(left, CHUNK)
    yield { type: 'text', text: left >= CHUNK ? FILLER : FILLER.slice(0, left) }
    // Lets timers and abort in between: the filler itself never waits.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const calls = [...(turn.calls ?? []), ...(turn.raw_call ? [turn.raw_call] : [])]
  for (const [at, call] of calls.entries()) {
    chars += JSON.stringify(call.input).length
    yield { type: 'call', call: { id: `call-${request.origin.turn}-${at}`, name: call.tool, input: call.input } }
  }
  yield { type: 'end', tokens: turn.usage ?? estimate(request, chars), finish: calls.length > 0 ? 'calls' : 'stop' }
}

function estimate(request: GenerateRequest, outputChars: number): RawTokens {
  const input = request.messages.reduce((sum, it) => sum + messageChars(it), 0)
  return { input: Math.ceil(input / CHARS_PER_TOKEN), output: Math.ceil(outputChars / CHARS_PER_TOKEN), cached: 0 }
}
