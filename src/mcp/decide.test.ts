import { expect, it } from 'vitest'
import { rawHost, sharedProduct } from '../../test/support/mcp.ts'

const shared = sharedProduct()
const ASK = { elicitation: { form: {} } }

interface Asked {
  resultType: string
  requestState: string
}

/** A run that waits with the question "land". */
async function waiting(): Promise<string> {
  const { client } = shared
  const { runs } = await client.call('runs.submit', { sentence: 'Ask me', workflow: 'asks' })
  const run = runs[0]?.id ?? ''
  for await (const _ of client.stream('runs.work', { runs: [run] }));
  return run
}

const approve = (runId: string, more: object = {}) => ({
  name: 'ai_coder_control',
  arguments: { runId, action: 'approve', approvalId: 'land' },
  ...more,
})
const yes = { inputResponses: { decision: { action: 'accept', content: { decision: 'approve' } } } }
const stateOf = async (run: string) => (await shared.client.call('runs.get', { run })).status

it('takes no answer that was not asked for, nor one to another question, nor one that was asked of somebody else', async () => {
  const [one, two] = [await waiting(), await waiting()]
  const ada = rawHost(shared.client, ASK)
  const unasked = (await ada('tools/call', approve(one, yes))).result as Asked
  expect(unasked.resultType, 'it asks first').toBe('input_required')
  const { requestState } = unasked

  expect((await ada('tools/call', approve(two, { ...yes, requestState }))).result).toMatchObject({
    isError: true,
    structuredContent: { error: { message: 'ai_coder_control: the answer belongs to another question' } },
  })
  const middle = Math.floor(requestState.length / 2)
  const bent = `${requestState.slice(0, middle)}${requestState[middle] === 'A' ? 'B' : 'A'}${requestState.slice(middle + 1)}`
  for (const forged of [bent, 'v1.e30.x', ''])
    expect((await ada('tools/call', approve(one, { ...yes, requestState: forged }))).error, forged).toMatchObject({ code: -32602 })
  const bob = rawHost(shared.client, ASK, 'bob')
  expect((await bob('tools/call', approve(one, { ...yes, requestState }))).error, "what was asked of somebody else's person").toMatchObject(
    { code: -32602 },
  )
  expect([await stateOf(one), await stateOf(two)]).toEqual(['waiting', 'waiting'])

  const decided = (await ada('tools/call', approve(one, { ...yes, requestState }))).result
  expect(decided).toMatchObject({ structuredContent: { state: 'queued' } })
})
