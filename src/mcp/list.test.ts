import { expect, it } from 'vitest'
import { legacyHost, sharedProduct } from '../../test/support/mcp.ts'

const shared = sharedProduct()

it('pages through the runs, each once, also when one is submitted meanwhile', async () => {
  const host = await legacyHost(shared.client)
  const submit = async (sentence: string) => (await shared.client.call('runs.submit', { sentence, workflow: 'fine' })).runs[0]?.id
  const made = [await submit('one'), await submit('two'), await submit('three')].toReversed()
  const list = async (args: object) =>
    (await host.callTool({ name: 'ai_coder_list', arguments: { limit: 2, ...args } })).structuredContent as {
      runs: { runId: string }[]
      nextCursor?: string
    }
  const first = await list({})
  await submit('meanwhile')
  const second = await list({ cursor: first.nextCursor })
  expect([...first.runs, ...second.runs].map((it) => it.runId)).toEqual(made)
  expect(second).not.toHaveProperty('nextCursor')
  const wrong = await host.callTool({ name: 'ai_coder_list', arguments: { cursor: 'from 2' } })
  expect(JSON.stringify(wrong.structuredContent)).toContain('must be a nextCursor of an earlier answer')
})
