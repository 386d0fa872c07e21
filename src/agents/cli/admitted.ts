import { CHARS_PER_TOKEN } from '../../models/tokens.ts'
import type { AgentRequest, AgentResult } from '../port.ts'
import type { CliDeps } from './deps.ts'
import { promptFor } from './prompt.ts'
import { nothingDone } from './result.ts'

/**
 * Where nobody sees its requests, a program as a whole is one request to its provider's account: it waits for its turn, and the account learns
 * how it went.
 */
export async function admitted(
  { admission }: Pick<CliDeps, 'admission'>,
  request: AgentRequest,
  work: () => Promise<AgentResult>,
): Promise<AgentResult> {
  if (admission === undefined) return await work()
  const { origin, role, signal } = request
  const asked = { origin: { ...origin, role: role.name, turn: 0 }, inputTokens: Math.ceil(promptFor(request).length / CHARS_PER_TOKEN) }
  const answer = await admission.enter(asked, signal)
  if (!answer.admitted) {
    const { problem, retryAt } = answer
    return { ...nothingDone(new Error(problem), request), class: 'rate_limited', retryAt }
  }
  const result = await work().catch(async (error: unknown) => {
    // It is our own failure, not its provider's; its place must not stay taken.
    await answer.leave({ class: 'aborted', tokens: null })
    throw error
  })
  const { class: kind, usage, retryAt, problem } = result
  const { inputTokens: input, outputTokens: output, cachedInputTokens: cached } = usage
  const tokens = input + output === 0 ? null : { input, output, cached }
  await answer.leave({ class: result.status === 'failed' ? kind : null, tokens, ...(retryAt !== null && { retryAt }), problem })
  return result
}
