import { problemOf } from '../../core/errors.ts'
import { forModel } from '../../core/hostile-text.ts'
import { NO_REDACTION } from '../../core/redact.ts'
import type { ModelMessage } from '../../models/port.ts'
import { CHARS_PER_TOKEN } from '../../models/tokens.ts'
import type { LoopDeps } from '../loop/agent.ts'
import { type Answer, ask } from '../loop/ask.ts'
import { roomFor, tokensOf } from '../loop/conversation.ts'
import { type Deadline, startDeadline } from '../loop/deadline.ts'
import { type Ending, failed, limitBefore, resultOf } from '../loop/ending.ts'
import { checker } from '../loop/output.ts'
import { createPurse } from '../loop/purse.ts'
import type { Agent, AgentRequest } from '../port.ts'
import { contextFor } from '../tools/context.ts'
import { proposalSchema } from './answer.ts'
import { type Composed, compose } from './compose.ts'
import { onAnswer } from './on-answer.ts'
import { systemPrompt } from './prompt.ts'
import { namedFiles } from './shown-files.ts'
import { emptyWork, type Turns, type Work } from './state.ts'

/** How often the estimate of tokens is raised when a prompt turned out to be too long; a text that is no English has three times as many. */
const NARROWINGS = 4
const NARROWER = 1.5
/** From here on the agent is told how many turns are left. */
const TELL_TURNS_LEFT = 3
const LOG_ENTRIES = 10

type ProposalsDeps = Omit<LoopDeps, 'tools'>

/**
 * An agent over a model that calls no tools: each turn it answers with data, what it wants to read and what is to be changed, and this applies
 * it by the rules of the tools. A turn's prompt is made anew from the files as they are, so that it fits into a small context.
 */
export function createProposalsAgent(deps: ProposalsDeps): Agent {
  return {
    provider: deps.provider.name,
    model: deps.provider.model,
    run: async (request) => {
      const deadline = startDeadline(request.signal, request.limits.timeoutMs, deps.clock)
      const work = emptyWork()
      try {
        return resultOf(work, await turns(await begin(work, request, deps, deadline)), request, deadline)
      } catch (error) {
        return resultOf(work, failed('crashed', problemOf(error)), request, deadline)
      } finally {
        deadline.end()
      }
    },
  }
}

async function begin(work: Work, request: AgentRequest, deps: ProposalsDeps, { signal }: Deadline): Promise<Turns> {
  const { provider, redaction = NO_REDACTION } = deps
  await provider.learn?.(signal)
  const context = contextFor(request, deps, signal)
  const schema = request.outputSchema ?? proposalSchema(request.role.permissions)
  const purse = createPurse(request.limits, provider, 0)
  work.purse = purse
  work.wishes = (await namedFiles(request.goal, context)).toReversed()
  return {
    work,
    purse,
    request,
    provider,
    context,
    redaction,
    schema,
    check: checker(schema),
    system: forModel(redaction.known(systemPrompt(request, schema))),
    maxSteps: Math.min(request.limits.steps, request.role.max_steps),
    signal,
  }
}

async function turns(it: Turns): Promise<Ending> {
  let tooLong = ''
  for (;;) {
    const messages = await nextPrompt(it)
    if (messages === null) return failed('context_too_long', tooLong || tooLongFor(it))
    const spent = limitBefore(it.work.turn, it.maxSteps, it.purse.next(messages), it.signal)
    if (spent) return spent
    const answer = await askOnce(it, messages)
    if (!answer.ok && answer.class === 'context_too_long' && it.work.narrowed < NARROWINGS) {
      it.work.narrowed += 1
      it.work.density *= NARROWER
      tooLong = answer.problem
      continue
    }
    if (!answer.ok) return { status: 'failed', problem: answer.problem, class: answer.class, retryAt: answer.retryAt }
    const end = await onAnswer(it, answer)
    if (end) return end
  }
}

/** null: the task itself does not fit into what the model reads. */
async function nextPrompt(it: Turns): Promise<ModelMessage[] | null> {
  const { work, request, redaction } = it
  const material = { goal: request.goal, wishes: work.wishes, log: work.log.slice(-LOG_ENTRIES), now: wanted(it) }
  const composed = await compose(material, roomOf(it) - it.system.length, it.context)
  if (composed === null) return null
  notice(it, composed)
  return [
    { role: 'system', text: it.system },
    { role: 'user', text: forModel(redaction.known(composed.text)) },
  ]
}

/** Characters that prompts of this model may have. */
function roomOf({ provider, work }: Turns): number {
  return Math.floor((roomFor(provider.capabilities.contextTokens, []) * CHARS_PER_TOKEN) / work.density)
}

function tooLongFor(it: Turns): string {
  const least = tokensOf([
    { role: 'system', text: it.system },
    { role: 'user', text: it.request.goal },
  ])
  const room = roomFor(it.provider.capabilities.contextTokens, [])
  return `The task needs about ${least} tokens with its maps and patches, the provider "${it.provider.name}" has room for ${room} (context_tokens).`
}

function wanted({ request, work, maxSteps }: Turns): string {
  if (request.outputSchema !== undefined) return 'Answer with the JSON object of the schema.'
  const left = maxSteps - work.turn
  const hurry = left <= TELL_TURNS_LEFT ? ` (${left} turn${left === 1 ? '' : 's'} left. Finish with what you have.)` : ''
  if (request.role.permissions.write === 'none') return `Answer with your next JSON object.${hurry}`
  return `Answer with your next JSON object: what you need to read, what is to be changed, and whether that is all.${hurry}`
}

/** People are told once that the model does not see all. */
function notice({ work, request, provider }: Turns, { goalLinesLeft, unseen }: Composed): void {
  if (work.noticed || (goalLinesLeft === 0 && unseen.length === 0)) return
  work.noticed = true
  const lines = goalLinesLeft === 0 ? [] : [`${goalLinesLeft} lines of the maps and patches of its task`]
  const files = unseen.length === 0 ? [] : [`the files ${unseen.join(', ')}`]
  const text = `${provider.name} reads ${provider.capabilities.contextTokens} tokens at most (context_tokens) and is not shown ${[...lines, ...files].join(' and ')}.`
  request.emit({ type: 'noticed', level: 'warning', text })
}

async function askOnce(it: Turns, messages: ModelMessage[]): Promise<Answer> {
  const { work, request, provider, purse } = it
  const next = purse.next(messages)
  const answer = await ask(
    provider,
    {
      messages,
      tools: [],
      ...(provider.capabilities.schema ? { schema: it.schema } : {}),
      ...(next.ok && next.maxOutputTokens !== undefined ? { maxOutputTokens: next.maxOutputTokens } : {}),
      origin: { ...request.origin, role: request.role.name, turn: work.turn },
      replaceable: request.replaceable ?? false,
      signal: it.signal,
    },
    // What it says is data; people are told its summary.
    (event) => (event.type === 'said' ? undefined : request.emit(event)),
    it.redaction.stream(),
  )
  work.turn += 1
  purse.count(answer, messages)
  const { inputTokens, requests } = answer.usage
  if (inputTokens > 0 && requests === 1) work.density = Math.max(0.8, (inputTokens / tokensOf(messages)) * 1.05)
  return answer
}
