import { z } from 'zod'
import { ProviderFailure, type RawEvent } from './guard.ts'

const json = z.json()
const tokens = z.object({ input: z.number(), output: z.number(), cached: z.number(), written: z.number().optional() })
const FORMS = {
  text: z.object({ type: z.literal('text'), text: z.string() }),
  call: z.object({ type: z.literal('call'), call: z.object({ id: z.string(), name: z.string(), input: json }) }),
  unseen: z.object({ type: z.literal('unseen'), chars: z.number() }),
  end: z.object({ type: z.literal('end'), tokens: tokens.nullable(), finish: z.enum(['stop', 'length', 'calls', 'refused', 'other']) }),
}
const KINDS = Object.keys(FORMS).join(', ')

/** What a plug-in streams, as far as it has the shape that was agreed. Throws `bad_output`, which says what has not. */
export async function* agreedEvents(events: AsyncIterable<unknown>): AsyncGenerator<RawEvent> {
  for await (const event of events) {
    const type = typeof event === 'object' && event !== null && 'type' in event ? String(event.type) : ''
    if (!Object.hasOwn(FORMS, type)) throw wrong(`an event of no known type; there are ${KINDS}`)
    const parsed = FORMS[type as keyof typeof FORMS].safeParse(event)
    if (!parsed.success) throw wrong(`an event "${type}" whose ${parsed.error.issues[0]?.path.join('.')} is not what was agreed`)
    yield event as RawEvent
  }
}

function wrong(what: string): ProviderFailure {
  return new ProviderFailure('bad_output', `The plug-in gave ${what}.`)
}
