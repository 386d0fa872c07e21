import type { RedactStream } from '../../core/redact.ts'
import { addCost, addUsage, type Cost, NO_USAGE, type Usage } from '../../core/run.ts'
import type { GenerateRequest, ModelEvent, ModelProvider, ProviderErrorClass, ToolCall } from '../../models/port.ts'
import type { AgentEvent } from '../port.ts'

/** Nobody reads an answer this long, and no answer of use is. */
const MAX_ANSWER_CHARS = 1_048_576
/** Each call is run and its result goes back to the model: nobody needs more of them in one answer. */
const MAX_CALLS = 128
/** What observers are told of one answer, in pieces of about this size. */
const SAID_PIECE = 400
const SAID_MOST = 8000

export type Answer =
  | { ok: true; text: string; calls: ToolCall[]; finish: Extract<ModelEvent, { type: 'done' }>['finish']; usage: Usage; cost: Cost }
  | { ok: false; class: ProviderErrorClass; problem: string; retryAt: number | null; text: string; usage: Usage; cost: Cost }

/** One model call, from its stream to an answer. Tells observers what is said while it comes, redacted over the pieces, and what it used. */
export async function ask(
  provider: ModelProvider,
  request: GenerateRequest,
  emit: (event: AgentEvent) => void,
  redacted: RedactStream,
): Promise<Answer> {
  const answer = await listen(provider, request, emit, redacted)
  const used = usedBy(provider.model, answer)
  if (used !== null) emit(used)
  return answer
}

/** What a call has used, as an event; null when nothing was asked for. A call without an answer has no count: that is said too. */
export function usedBy(model: string, { usage, cost }: { usage: Usage; cost: Cost }): AgentEvent | null {
  if (usage.requests === 0) return null
  const source = cost === null && usage.inputTokens + usage.outputTokens === 0 ? 'estimated' : 'reported'
  return { type: 'used', usage, cost, model, source }
}

async function listen(
  provider: ModelProvider,
  request: GenerateRequest,
  emit: (event: AgentEvent) => void,
  redacted: RedactStream,
): Promise<Answer> {
  const calls: ToolCall[] = []
  const said = speaker(emit, redacted)
  let text = ''
  for await (const event of provider.generate(request)) {
    if (event.type === 'text') {
      text += event.text
      said.add(event.text)
    } else if (event.type === 'call') calls.push(event.call)
    else if (event.type === 'retrying') emit({ type: 'retrying', class: event.class, problem: event.problem, inMs: event.inMs })
    else if (event.type === 'done') {
      said.end()
      return { ok: true, text, calls, finish: event.finish, usage: event.usage, cost: event.cost }
    } else {
      said.end()
      const { class: kind, problem, retryAt, usage, cost } = event
      return { ok: false, class: kind, problem, retryAt: retryAt ?? null, text, usage, cost }
    }
    if (text.length > MAX_ANSWER_CHARS) {
      said.end()
      const problem = `The answer is longer than ${MAX_ANSWER_CHARS} characters; it was stopped.`
      return unfinished(text.slice(0, SAID_MOST), problem)
    }
    if (calls.length > MAX_CALLS) {
      said.end()
      return unfinished(text, `The answer has more than ${MAX_CALLS} tool calls; it was stopped and none was run.`)
    }
  }
  said.end()
  return unfinished(text, 'The stream ended without an answer.')
}

/** Nobody told what this call cost: at least it was one. */
function unfinished(text: string, problem: string): Answer {
  const usage = addUsage(NO_USAGE, { ...NO_USAGE, requests: 1 })
  return { ok: false, class: 'bad_output', problem, retryAt: null, text, usage, cost: addCost(null, 0) }
}

/** Coalesces what is said into pieces that end where a line ends, and stops after a while: observers do not need it all. */
export function speaker(emit: (event: AgentEvent) => void, redacted: RedactStream): { add(text: string): void; end(): void } {
  let waiting = ''
  let told = 0
  const tell = (text: string) => {
    const piece = text.slice(0, SAID_MOST - told)
    if (piece.trim() === '') return
    told += piece.length
    emit({ type: 'said', text: piece })
  }
  return {
    add: (text) => {
      if (told >= SAID_MOST) return
      waiting += redacted.add(text)
      if (waiting.length < SAID_PIECE) return
      const at = waiting.lastIndexOf('\n') + 1
      if (at === 0 && waiting.length < SAID_PIECE * 4) return
      tell(at === 0 ? waiting : waiting.slice(0, at))
      waiting = at === 0 ? '' : waiting.slice(at)
    },
    end: () => {
      tell(waiting + redacted.end())
      waiting = ''
    },
  }
}
