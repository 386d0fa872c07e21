import { expect, it } from 'vitest'
import { agreedEvents } from './plugin-events.ts'

async function given(...events: unknown[]): Promise<unknown[]> {
  async function* stream() {
    yield* events
  }
  const found = []
  for await (const event of agreedEvents(stream())) found.push(event)
  return found
}

const END = { type: 'end', tokens: { input: 1, output: 1, cached: 0 }, finish: 'stop' }

it('hands on what was agreed, as it is', async () => {
  const events = [
    { type: 'text', text: 'a' },
    { type: 'call', call: { id: '1', name: 'read', input: { path: 'x' }, providerData: 's' } },
    { type: 'unseen', chars: 3 },
    END,
    { ...END, tokens: null },
  ]
  expect(await given(...events)).toEqual(events)
})

it.each([
  [5, 'The plug-in gave an event of no known type; there are text, call, unseen, end.'],
  [{ type: 'toString' }, 'The plug-in gave an event of no known type; there are text, call, unseen, end.'],
  [{ type: 'text', text: 7 }, 'The plug-in gave an event "text" whose text is not what was agreed.'],
  [{ type: 'call', call: { id: '1', name: 'read' } }, 'The plug-in gave an event "call" whose call.input is not what was agreed.'],
  [{ type: 'end' }, 'The plug-in gave an event "end" whose tokens is not what was agreed.'],
])('refuses %j, and says what is wrong', async (event, problem) => {
  await expect(given(event)).rejects.toMatchObject({ class: 'bad_output', message: problem })
})
