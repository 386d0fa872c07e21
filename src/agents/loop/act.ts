import { nearest, problemOf } from '../../core/errors.ts'
import { forModel } from '../../core/hostile-text.ts'
import { isTooDeep, type Json, MAX_JSON_LEVELS, parseJson } from '../../core/json.ts'
import type { Redaction } from '../../core/redact.ts'
import type { ToolCall } from '../../models/port.ts'
import type { AgentEvent } from '../port.ts'
import { capText, firstLine } from '../tools/cap.ts'
import type { Tool, ToolContext, ToolOutcome } from '../tools/tool.ts'
import type { Repeats } from './repeats.ts'

/** Stands for arguments that are nested too deep to be walked, here and in the conversation. */
const TOO_DEEP = `[arguments nested deeper than ${MAX_JSON_LEVELS} levels]`

/** Results are capped once more here, whatever a tool gives. */
const MAX_RESULT_CHARS = 60_000

export interface ActContext {
  tools: readonly Tool[]
  context: ToolContext
  repeats: Repeats
  redaction: Redaction
  emit(event: AgentEvent): void
  /** Accepts or refuses what `finish` gives. */
  finish(finished: NonNullable<ToolOutcome['finish']>): { ok: true } | { ok: false; problem: string }
}

export interface Acted {
  results: { id: string; name: string; text: string; isError: boolean }[]
  /** Calls whose tool or arguments made no sense. */
  malformed: number
  finished: boolean
  /** The agent turns in a circle: the sentence that says so. */
  circle: string | null
  /** A limit of the run was broken: the sentence that names it. */
  broken: string | null
}

/** Runs the calls of one turn, one after another, and gives what the model is told. */
export async function act(calls: readonly ToolCall[], work: ActContext): Promise<Acted> {
  const acted: Acted = { results: [], malformed: 0, finished: false, circle: null, broken: null }
  for (const call of calls) {
    if (work.context.signal.aborted) break
    const prepared = prepare(call, work)
    const outcome = prepared.ok ? await perform(prepared.tool, prepared.input, acted, work) : malformed(call, prepared.problem, acted)
    // Malformed calls have a count of their own.
    const note = prepared.ok ? repeated(call, outcome, acted, work) : ''
    acted.results.push({ id: call.id, name: call.name, text: told(outcome.text, work.redaction) + note, isError: !outcome.ok })
    work.emit(event(call.name, outcome, work.redaction))
    if (outcome.broke) {
      acted.broken = outcome.broke.problem
      work.emit({ type: 'broke', command: firstLine(outcome.target), breach: outcome.broke.breach })
    }
    if (acted.finished || acted.circle !== null || acted.broken !== null) break
  }
  return acted
}

/** The calls with arguments that everything later can walk. */
export function boundedCalls(calls: readonly ToolCall[]): ToolCall[] {
  return calls.map((it) => (isTooDeep(it.input) ? { ...it, input: TOO_DEEP } : it))
}

/** The one way for what tools find into the conversation. Cut after it is redacted: half a secret would not be known for one. */
function told(text: string, { known }: Redaction): string {
  return forModel(capText(known(text), MAX_RESULT_CHARS))
}

function event(tool: string, { target, ok, summary }: ToolOutcome, { redact }: Redaction): AgentEvent {
  return { type: 'acted', tool, target: firstLine(redact(target)), ok, summary: firstLine(redact(summary)) }
}

type Prepared = { ok: true; tool: Tool; input: unknown } | { ok: false; problem: string }

function prepare(call: ToolCall, { tools, context }: ActContext): Prepared {
  const offered = tools.filter((it) => it.allowed(context.permissions))
  const tool = offered.find((it) => it.name === call.name)
  const names = offered.map((it) => it.name)
  if (!tool) {
    const exists = tools.some((it) => it.name === call.name)
    const why = exists ? `the role "${context.role}" may not use ${call.name}` : `there is no tool "${call.name}"`
    const guess = exists ? undefined : nearest(call.name, names)
    return { ok: false, problem: `${why}.${guess ? ` Did you mean ${guess}?` : ''} Your tools: ${names.join(', ')}.` }
  }
  const input = asObject(call.input)
  if (input === TOO_DEEP)
    return {
      ok: false,
      problem: `${tool.name}: the arguments are nested deeper than ${MAX_JSON_LEVELS} levels. Call it again with plain ones.`,
    }
  const parsed = tool.input.safeParse(input)
  if (parsed.success) return { ok: true, tool, input: parsed.data }
  const issues = parsed.error.issues.slice(0, 5).map((it) => `${it.path.map(String).join('.') || 'arguments'}: ${it.message}`)
  return {
    ok: false,
    problem: `${tool.name}: the arguments are wrong (${issues.join('; ')}). Call it again with a JSON object that has them right.`,
  }
}

/** Some models write the arguments as a string of JSON. */
function asObject(input: Json): Json {
  if (typeof input !== 'string') return input
  try {
    const parsed = parseJson(input, 'the arguments')
    return isTooDeep(parsed) ? TOO_DEEP : parsed
  } catch {
    return input
  }
}

function malformed(call: ToolCall, problem: string, acted: Acted): ToolOutcome {
  acted.malformed += 1
  return { ok: false, text: problem, target: '', summary: `malformed call of ${call.name}` }
}

async function perform(tool: Tool, input: unknown, acted: Acted, work: ActContext): Promise<ToolOutcome> {
  const outcome = await run(tool, input, work)
  if (outcome.changed) work.repeats.reset()
  if (!outcome.finish) return outcome
  if (acted.results.some((it) => it.isError)) {
    const text = 'finish: an earlier call of this turn failed; look at its result first, then finish.'
    return { ...outcome, ok: false, text, summary: 'not yet' }
  }
  const accepted = work.finish(outcome.finish)
  if (accepted.ok) {
    acted.finished = true
    return outcome
  }
  return { ...outcome, ok: false, text: `finish: ${accepted.problem}`, summary: 'the answer has the wrong shape' }
}

async function run(tool: Tool, input: unknown, work: ActContext): Promise<ToolOutcome> {
  try {
    return await tool.run(input, work.context)
  } catch (error) {
    return { ok: false, text: `${tool.name}: ${problemOf(error)}`, target: '', summary: problemOf(error) }
  }
}

function repeated(call: ToolCall, outcome: ToolOutcome, acted: Acted, work: ActContext): string {
  const verdict = work.repeats.count(call, outcome.text)
  if (verdict === 'fine') return ''
  if (verdict === 'end')
    acted.circle = `It called ${call.name} (${firstLine(outcome.target) || 'same arguments'}) again and again, with the same result.`
  return '\n(This same call has given this same result three times. Do something else, or finish and say what is in the way.)'
}
