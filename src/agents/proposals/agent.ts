import type { Clock } from '../../core/clock.ts'
import { problemOf } from '../../core/errors.ts'
import { forModel } from '../../core/hostile-text.ts'
import { canonicalJson, type Json } from '../../core/json.ts'
import { NO_REDACTION, type Redaction } from '../../core/redact.ts'
import type { ModelMessage, ModelProvider } from '../../models/port.ts'
import { CHARS_PER_TOKEN } from '../../models/tokens.ts'
import { type Answer, ask } from '../loop/ask.ts'
import { roomFor, tokensOf } from '../loop/conversation.ts'
import { type Deadline, startDeadline } from '../loop/deadline.ts'
import { DONE, type Ending, failed, limitBefore, type Outcome, resultOf } from '../loop/ending.ts'
import { answerIn, type Checked, checker } from '../loop/output.ts'
import { createPurse, type Purse } from '../loop/purse.ts'
import type { Agent, AgentRequest } from '../port.ts'
import { firstLine } from '../tools/cap.ts'
import { contextFor, type ToolDeps } from '../tools/context.ts'
import type { ToolContext } from '../tools/tool.ts'
import { type Proposal, proposalSchema } from './answer.ts'
import { type Applied, applyEdits } from './apply.ts'
import { type Composed, compose } from './compose.ts'
import { systemPrompt } from './prompt.ts'
import { namedFiles, show, type Wish, wishOf } from './shown-files.ts'

/** Answers in a row that were no JSON of the wanted shape: each is told what was wrong with the one before. */
const SHAPE_REPAIRS = 1
/** Answers in a row with edits that could not be made. */
const EDIT_REPAIRS = 3
/** Answers in a row that were cut at the output limit. */
const CUT_ANSWERS = 2
/** How often the estimate of tokens is raised when a prompt turned out to be too long; a text that is no English has three times as many. */
const NARROWINGS = 4
const NARROWER = 1.5
/** From here on the agent is told how many turns are left. */
const TELL_TURNS_LEFT = 3
const LOG_ENTRIES = 10
const LOG_ENTRY_CHARS = 1500

export interface ProposalsDeps extends ToolDeps {
  provider: ModelProvider
  clock: Clock
  /** Default: there are no secrets. */
  redaction?: Redaction
}

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

interface Work extends Outcome {
  wishes: Wish[]
  log: string[]
  /** The last proposal, and what was wrong with it. */
  last: { key: string; problem: string | null } | null
  badShapes: number
  badEdits: number
  cuts: number
  /** Tokens of the model for one that is estimated. */
  density: number
  narrowed: number
  noticed: boolean
}

interface Turns {
  work: Work
  purse: Purse
  request: AgentRequest
  provider: ModelProvider
  context: ToolContext
  redaction: Redaction
  schema: { [key: string]: Json }
  check: (value: Json) => Checked
  system: string
  maxSteps: number
  signal: AbortSignal
}

function emptyWork(): Work {
  return {
    text: '',
    output: null,
    turn: 0,
    purse: null,
    wishes: [],
    log: [],
    last: null,
    badShapes: 0,
    badEdits: 0,
    cuts: 0,
    density: 1,
    narrowed: 0,
    noticed: false,
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

async function onAnswer(it: Turns, answer: Answer & { ok: true }): Promise<Ending | null> {
  const { work } = it
  if (answer.finish === 'refused') return failed('refused', 'The model refused to answer.')
  if (answer.finish === 'length') {
    work.cuts += 1
    if (work.cuts > CUT_ANSWERS) return failed('bad_output', `The answer was cut at the output limit, ${work.cuts} times in a row.`)
    return tell(it, 'Your answer was cut at its limit of length and not used. Propose less at a time.')
  }
  work.cuts = 0
  const found = answerIn(answer.text, it.check)
  if (!found.ok) {
    work.badShapes += 1
    if (work.badShapes > SHAPE_REPAIRS) return failed('bad_output', `The answer does not have the wanted shape: ${found.problem}`)
    return tell(it, `Your answer was not used, it does not have the wanted shape: ${found.problem}. Give the whole answer again.`)
  }
  work.badShapes = 0
  if (it.request.outputSchema === undefined) return onProposal(it, found.value as unknown as Proposal)
  work.output = found.value
  work.text = summaryOf(found.value) ?? answer.text
  return DONE
}

async function onProposal(it: Turns, proposal: Proposal): Promise<Ending | null> {
  const { work, request, context, redaction } = it
  const { summary, read = [], edits = [] } = proposal
  if (summary.trim() !== '') {
    work.text = summary
    request.emit({ type: 'said', text: redaction.redact(summary) })
  }
  const key = canonicalJson({ read, edits })
  if (work.last?.key === key) {
    // Whoever says the same again has nothing more to say.
    if (work.last.problem === null) return DONE
    return failed('bad_output', `It gave the same answer again after it was told: ${work.last.problem}`)
  }

  const applied = await applyEdits(edits, context)
  for (const one of applied) request.emit(actedOn(one, redaction))
  if (it.signal.aborted) return failed('aborted', 'The step was aborted.')
  const asked = await wishes(it, read)
  work.wishes.push(...applied.filter((one) => one.outcome === 'written').map((one) => ({ path: one.path, from: 1, to: null })))
  work.wishes = newest(work.wishes)
  const refused = applied.filter((one) => one.outcome === 'refused').map((one) => `${one.path} was not changed: ${one.text}`)
  const problem = [...refused, ...asked.problems].join('\n  ') || null
  work.last = { key, problem }
  logTurn(it, summary, applied, problem)
  if (refused.length > 0) {
    work.badEdits += 1
    if (work.badEdits > EDIT_REPAIRS)
      return failed('bad_output', `${work.badEdits} answers in a row could not be applied. The last: ${refused.join(' ')}`)
    return null
  }
  work.badEdits = 0
  const moved = applied.some((one) => one.outcome !== 'unchanged') || asked.fresh > 0 || asked.problems.length > 0
  return proposal.done === true || !moved ? DONE : null
}

/** Puts what the model wants to read in front; says what cannot be read, and how much of it it had not seen. */
async function wishes({ work, context, request }: Turns, read: readonly string[]): Promise<{ fresh: number; problems: string[] }> {
  const problems: string[] = []
  let fresh = 0
  // The first it names matters most, and the last wish comes first.
  for (const wish of read.map(wishOf).toReversed()) {
    const shown = await show(wish, context)
    const known = work.wishes.some((it) => sameWish(it, wish))
    const ok = !('problem' in shown)
    if (!known)
      request.emit({
        type: 'acted',
        tool: 'read_file',
        target: firstLine(wish.path),
        ok,
        summary: ok ? `${shown.lines} lines` : 'not shown',
      })
    if (!ok) problems.push(`"${wish.path}" cannot be shown: ${shown.problem}.`)
    else {
      if (!known) fresh += 1
      work.wishes.push(wish)
    }
  }
  return { fresh, problems }
}

function newest(all: readonly Wish[]): Wish[] {
  return all.filter((wish, at) => !all.slice(at + 1).some((later) => sameWish(later, wish)))
}

function sameWish(a: Wish, b: Wish): boolean {
  return a.path === b.path && a.from === b.from && a.to === b.to
}

function logTurn(it: Turns, summary: string, applied: readonly Applied[], problem: string | null): void {
  const made = applied
    .filter((one) => one.outcome !== 'refused')
    .map((one) => `${one.path} (${[one.outcome, one.text].filter(Boolean).join('; ')})`)
  const lines = [
    `Turn ${it.work.turn}: ${firstLine(summary) || 'no summary'}`,
    ...(made.length === 0 ? [] : [`Files: ${made.join(', ')}`]),
    ...(problem === null ? [] : [problem]),
  ]
  tell(it, lines.join('\n  '))
}

function tell({ work }: Turns, text: string): null {
  work.log.push(text.length > LOG_ENTRY_CHARS ? `${text.slice(0, LOG_ENTRY_CHARS)} …` : text)
  return null
}

const TOOLS = { written: 'edit_file', unchanged: 'edit_file', refused: 'edit_file', deleted: 'delete_file' } as const

function actedOn({ path, outcome, text }: Applied, { redact }: Redaction) {
  const summary = firstLine(redact(text === '' ? outcome : `${outcome}: ${text}`))
  return { type: 'acted', tool: TOOLS[outcome], target: firstLine(redact(path)), ok: outcome !== 'refused', summary } as const
}

/** What a structured answer says of itself. */
function summaryOf(output: Json): string | null {
  if (output === null || typeof output !== 'object' || Array.isArray(output)) return null
  return typeof output['summary'] === 'string' ? output['summary'] : null
}
