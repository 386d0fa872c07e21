import { expect, it } from 'vitest'
import { over, runAgent } from '../../../test/support/agent.ts'
import type { GenerateRequest, ModelEvent, ModelProvider } from '../../models/port.ts'

const call = (path: string): ModelEvent[] => [
  { type: 'text', text: 'I look.' },
  { type: 'call', call: { id: `c-${path}`, name: 'read_file', input: { path } } },
  over('calls'),
]
const LIMITED: ModelEvent[] = [
  {
    type: 'error',
    class: 'quota',
    problem: 'used up',
    retryAt: 5,
    usage: { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, requests: 1 },
    cost: 0,
  },
]

function provider(...answers: ModelEvent[][]) {
  const seen: GenerateRequest[] = []
  const model: ModelProvider = {
    name: 'made',
    model: 'm',
    capabilities: { tools: true, schema: false, contextTokens: 100_000 },
    async *generate(request) {
      seen.push({ ...request, messages: [...request.messages] })
      yield* answers[Math.min(seen.length, answers.length) - 1] ?? []
    },
    health: async () => ({ ok: true, detail: '' }),
  }
  return { model, seen }
}

it('goes on with the conversation where its provider had to be waited for, and asks nothing twice', async () => {
  const files = { 'a.ts': 'export const a = 1\n', 'b.ts': 'export const b = 2\n' }
  const before = provider(call('a.ts'), call('b.ts'), LIMITED)
  const first = await runAgent(before.model, { files })
  expect(first.result).toMatchObject({ status: 'failed', class: 'quota', retryAt: 5, usage: { inputTokens: 2 } })

  const after = provider([{ type: 'text', text: 'Done.' }, over('stop')])
  const second = await runAgent(after.model, { files, session: first.result.session ?? '' })
  expect(second.result).toMatchObject({ status: 'completed', text: 'Done.', usage: { inputTokens: 1, requests: 1 } })
  expect(after.seen[0]?.messages, 'what was not answered, once more').toEqual(before.seen[2]?.messages)
  expect(after.seen[0]?.origin.turn).toBe(2)
})

it('begins anew where there is nothing to go on with, or the session is somebody else’s', async () => {
  const limited = await runAgent(provider(LIMITED).model)
  expect(limited.result.session, 'nothing was paid yet').toBeNull()
  const done = await runAgent(provider([{ type: 'text', text: 'Done.' }, over('stop')]).model)
  expect(done.result.session).toBeNull()
  for (const session of ['', '{"version":2}', 'a-session-of-a-program']) {
    const { model, seen } = provider([{ type: 'text', text: 'Done.' }, over('stop')])
    await runAgent(model, { session })
    expect(seen[0]?.messages).toHaveLength(2)
  }
})
