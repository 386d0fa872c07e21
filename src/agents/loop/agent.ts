import type { Clock } from '../../core/clock.ts'
import { problemOf } from '../../core/errors.ts'
import { forModel } from '../../core/hostile-text.ts'
import type { Json } from '../../core/json.ts'
import { NO_REDACTION, type Redaction } from '../../core/redact.ts'
import { NO_USAGE } from '../../core/run.ts'
import type { GenerateRequest, ModelMessage, ModelProvider, ToolSpec } from '../../models/port.ts'
import type { Agent, AgentRequest } from '../port.ts'
import { contextFor, type ToolDeps } from '../tools/context.ts'
import type { Tool, ToolContext } from '../tools/tool.ts'
import { specsFor, TOOLS } from '../tools/toolbox.ts'
import { act, boundedCalls } from './act.ts'
import { type Answer, ask } from './ask.ts'
import { condense, roomFor, specTokens, tokensOf } from './conversation.ts'
import { type Deadline, startDeadline } from './deadline.ts'
import { DONE, type Ending, failed, limitBefore, limited, type Outcome, resultOf } from './ending.ts'
import { answerIn, type Checked, checker } from './output.ts'
import { systemPrompt } from './prompt.ts'
import { createPurse, type Purse } from './purse.ts'
import { createRepeats, type Repeats } from './repeats.ts'
import { conversationIn, sessionAfter } from './session.ts'

/** Turns in a row in which no call made sense. */
const MAX_MALFORMED = 3
/** Answers in a row that were cut at the output limit, or empty. */
const MAX_NUDGES = 2
const REPAIR_TURNS = 1
/** From here on the agent is told how many turns are left. */
const TELL_TURNS_LEFT = 3

export interface LoopDeps extends ToolDeps {
  provider: ModelProvider
  clock: Clock
  /** Default: there are no secrets. */
  redaction?: Redaction
  /** Default: all of `tools/`. */
  tools?: readonly Tool[]
}

/**
 * Our own agent: a model in a loop over tools. State is the list of messages; it lives as long as one `run`, or where the provider has to be
 * waited for, as its session.
 */
export function createLoopAgent(deps: LoopDeps): Agent {
  return {
    provider: deps.provider.name,
    model: deps.provider.model,
    run: async (request) => {
      const deadline = startDeadline(request.signal, request.limits.timeoutMs, deps.clock)
      const work = emptyWork()
      try {
        const end = await loop(await begin(work, request, deps, deadline))
        return { ...resultOf(work, end, request, deadline), session: sessionAfter(work, end) }
      } catch (error) {
        return resultOf(work, failed('crashed', problemOf(error)), request, deadline)
      } finally {
        deadline.end()
      }
    },
  }
}

/** What one run has come to; kept apart so that a crash in the loop still reports what was used. */
interface Work extends Outcome {
  messages: ModelMessage[]
  malformed: number
  nudges: number
  repairs: number
  condensed: boolean
}

interface Loop {
  work: Work
  purse: Purse
  request: AgentRequest
  provider: ModelProvider
  tools: readonly Tool[]
  specs: ToolSpec[]
  context: ToolContext
  repeats: Repeats
  maxSteps: number
  redaction: Redaction
  check: ((value: Json) => Checked) | null
  signal: AbortSignal
}

function emptyWork(): Work {
  return {
    messages: [],
    purse: null,
    turn: 0,
    text: '',
    output: null,
    malformed: 0,
    nudges: 0,
    repairs: 0,
    condensed: false,
  }
}

async function begin(work: Work, request: AgentRequest, deps: LoopDeps, deadline: Deadline): Promise<Loop> {
  const { role, limits } = request
  await deps.provider.learn?.(deadline.signal)
  const tools = deps.tools ?? TOOLS
  const redaction = deps.redaction ?? NO_REDACTION
  const specs = await specsFor(tools, role.permissions, request.outputSchema)
  work.messages = [
    { role: 'system', text: forModel(redaction.known(systemPrompt(request, specs))) },
    { role: 'user', text: forModel(redaction.known(request.goal)) },
  ]
  Object.assign(work, conversationIn(request.session))
  const purse = createPurse(limits, deps.provider, specTokens(specs))
  work.purse = purse
  return {
    work,
    purse,
    request,
    provider: deps.provider,
    tools,
    specs,
    repeats: createRepeats(),
    redaction,
    maxSteps: Math.min(limits.steps, role.max_steps),
    check: request.outputSchema ? checker(request.outputSchema) : null,
    signal: deadline.signal,
    context: contextFor(request, deps, deadline.signal),
  }
}

async function loop(it: Loop): Promise<Ending> {
  for (;;) {
    const spent = limitBefore(it.work.turn, it.maxSteps, it.purse.next(it.work.messages), it.signal)
    if (spent) return spent
    const answer = await nextAnswer(it)
    const end = answer.ok ? await onAnswer(it, answer) : onFailure(it, answer)
    if (end) return end
  }
}

async function nextAnswer(it: Loop): Promise<Answer> {
  const { work, request, purse } = it
  const room = roomFor(it.provider.capabilities.contextTokens, it.specs)
  const fitted = condense(work.messages, room)
  work.messages = fitted.messages
  if (!fitted.fits) {
    const problem = `The task needs about ${tokensOf(work.messages)} tokens, the provider "${it.provider.name}" has room for ${room} (context_tokens).`
    return { ok: false, class: 'context_too_long', problem, retryAt: null, text: '', usage: NO_USAGE, cost: 0 }
  }
  const origin = { ...request.origin, role: request.role.name, turn: work.turn }
  const { replaceable = false } = request
  const next = purse.next(work.messages)
  const wanted: GenerateRequest = {
    messages: work.messages,
    tools: it.specs,
    origin,
    replaceable,
    signal: it.signal,
    ...(next.ok && next.maxOutputTokens !== undefined ? { maxOutputTokens: next.maxOutputTokens } : {}),
  }
  const answer = await ask(it.provider, wanted, (event) => request.emit(event), it.redaction.stream())
  work.turn += 1
  purse.count(answer, wanted.messages)
  if (answer.text.trim() !== '') work.text = answer.text
  return answer
}

function onFailure({ work }: Loop, answer: Answer & { ok: false }): Ending | null {
  // The estimate was too low for this model: make half the room, once.
  if (answer.class === 'context_too_long' && !work.condensed && answer.usage.requests > 0) {
    const before = tokensOf(work.messages)
    work.condensed = true
    work.messages = condense(work.messages, Math.floor(before / 2)).messages
    if (tokensOf(work.messages) < before) return null
  }
  return { status: 'failed', problem: answer.problem, class: answer.class, retryAt: answer.retryAt }
}

async function onAnswer(it: Loop, answer: Answer & { ok: true }): Promise<Ending | null> {
  const { work } = it
  if (answer.finish === 'refused') return failed('refused', 'The model refused to answer.')
  const calls = boundedCalls(answer.calls)
  work.messages.push({ role: 'assistant', text: answer.text, calls })
  if (calls.length === 0) return onText(it, answer)

  work.nudges = 0
  const acted = await act(calls, {
    ...it,
    emit: (event) => it.request.emit(event),
    finish: (finished) => accept(it, finished, answer.text),
  })
  if (it.signal.aborted) return failed('aborted', 'The step was aborted.')
  if (acted.broken !== null) return limited(acted.broken)
  if (acted.finished) return DONE
  if (acted.circle !== null) return failed('bad_output', acted.circle)
  if (work.repairs > REPAIR_TURNS) return failed('bad_output', 'The answer did not get the wanted shape, even after it was told.')
  work.malformed = acted.malformed === calls.length ? work.malformed + 1 : 0
  if (work.malformed >= MAX_MALFORMED) {
    return failed(
      'bad_output',
      `${MAX_MALFORMED} tool calls in a row made no sense. The last answer to it: ${acted.results.at(-1)?.text ?? ''}`,
    )
  }
  const left = it.maxSteps - work.turn
  const last = acted.results.at(-1)
  if (last && left <= TELL_TURNS_LEFT) last.text += `\n(${left} turn${left === 1 ? '' : 's'} left. Finish with what you have.)`
  work.messages.push({ role: 'tool', results: acted.results })
  return null
}

/** An answer without calls: the end, or not yet. */
function onText(it: Loop, answer: Answer & { ok: true }): Ending | null {
  const { work } = it
  if (answer.finish === 'length')
    return nudge(work, 'Your answer was cut at the output limit. Go on, in smaller steps.', 'was cut at the output limit')
  if (answer.text.trim() === '') return nudge(work, 'Your answer was empty. Use a tool, or call finish.', 'was empty')
  if (it.check === null) return DONE
  const found = answerIn(answer.text, it.check)
  if (found.ok) {
    work.output = found.value
    return DONE
  }
  if (work.repairs >= REPAIR_TURNS) return failed('bad_output', `The answer does not have the wanted shape: ${found.problem}`)
  work.repairs += 1
  work.messages.push({
    role: 'user',
    text: `Your answer does not have the wanted shape: ${found.problem}\nGive the whole answer again, as JSON only.`,
  })
  return null
}

function nudge(work: Work, text: string, what: string): Ending | null {
  work.nudges += 1
  if (work.nudges > MAX_NUDGES) return failed('bad_output', `The answer ${what}, ${work.nudges} times in a row.`)
  work.messages.push({ role: 'user', text })
  return null
}

/** `said`: what stood beside the call of finish; some models put the answer there and only a word into the summary. */
function accept(
  { work, check }: Loop,
  finished: { text: string; output: Json | null },
  said: string,
): { ok: true } | { ok: false; problem: string } {
  const parts = [said, finished.text].map((it) => it.trim()).filter((it) => it !== '')
  if (parts.length > 0) work.text = parts.join('\n\n')
  if (check === null) {
    work.output = finished.output
    return { ok: true }
  }
  const checked = finished.output === null ? answerIn(finished.text, check) : shaped(finished.output, check)
  if (checked.ok) {
    work.output = checked.value
    return { ok: true }
  }
  work.repairs += 1
  return { ok: false, problem: `"output" does not have the wanted shape: ${checked.problem}. Call finish again with the whole answer.` }
}

/** Some models give the output as a string of JSON. */
function shaped(output: Json, check: (value: Json) => Checked): Checked {
  const checked = check(output)
  return checked.ok || typeof output !== 'string' ? checked : answerIn(output, check)
}
