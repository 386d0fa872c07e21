import { z } from 'zod'
import { parseJson } from '../../core/json.ts'
import type { ModelMessage } from '../../models/port.ts'
import type { Ending } from './ending.ts'

/** Where a conversation was when its provider had to be waited for. */
export interface Conversation {
  messages: ModelMessage[]
  /** The turn that got no answer. */
  turn: number
  text: string
}

/** The provider will answer again, and has done nothing with the last turn. */
const WAITED_FOR: readonly Ending['class'][] = ['rate_limited', 'quota']

/** What a later run may go on with: the conversation itself, as text. Null where it would not help. */
export function sessionAfter({ messages, turn, text }: Conversation, end: Ending): string | null {
  if (end.status !== 'failed' || !WAITED_FOR.includes(end.class) || turn <= 1) return null
  return JSON.stringify({ version: 1, messages, turn: turn - 1, text })
}

const shape = z.object({
  version: z.literal(1),
  messages: z.array(z.looseObject({ role: z.string() })),
  turn: z.int().min(1),
  text: z.string(),
})

/** Null for a session that is not ours: the agent begins anew. */
export function conversationIn(session: string | undefined): Conversation | null {
  if (session === undefined) return null
  try {
    const { messages, turn, text } = shape.parse(parseJson(session, 'the session'))
    return { messages: messages as unknown as ModelMessage[], turn, text }
  } catch {
    return null
  }
}
