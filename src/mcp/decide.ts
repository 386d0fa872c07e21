import { acceptedContent, inputRequired, inputResponse } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { visible } from '../core/hostile-text.ts'
import { answer } from './answer.ts'
import { ids, stateOf } from './fields.ts'
import { openQuestion } from './status.ts'
import type { Answer, Call, Sealed } from './tool.ts'

export interface Decision {
  run: string
  verdict: 'approve' | 'reject'
  /** Name of the question that is answered. */
  question: string
  comment: string | undefined
}

/** What a person fills in. */
export const decisionForm = z.object({
  decision: z.enum(['approve', 'reject']).describe('Your decision'),
  comment: z.string().optional().describe('Why; it is kept with the decision'),
})

/**
 * Answers the question of a run. A person is asked where the host can show the question; else only what the configuration lets programs say
 * is said. A no needs nobody: it opens nothing.
 */
export async function decide(call: Call, it: Decision): Promise<Answer> {
  const { client, ctx } = call
  const sealed = ctx.mcpReq.requestState<Sealed>()
  const response = inputResponse(ctx.mcpReq.inputResponses, 'decision')
  if (sealed !== undefined && response.kind === 'elicit') {
    if (sealed.run !== it.run || sealed.question !== it.question)
      throw new ReeveError('invalid_input', { problem: 'ai_coder_control: the answer belongs to another question' })
    const said = acceptedContent(ctx.mcpReq.inputResponses, 'decision', decisionForm)
    if (said !== undefined) return record(call, { ...it, verdict: said.decision, comment: said.comment ?? it.comment }, false)
    const view = await client.call('runs.get', { run: it.run }, ctx.mcpReq.signal)
    return answer({
      ...ids(view.id),
      state: view.status,
      decided: false,
      message: 'The person gave no answer; the question is still open.',
    })
  }
  if (it.verdict === 'reject' && !call.canAsk) return record(call, it, false)
  try {
    return await record(call, it, true)
  } catch (error) {
    if (!call.canAsk || !(error instanceof ReeveError) || error.code !== 'needs_person') throw error
    return ask(call, it)
  }
}

async function record(call: Call, { run, verdict, question, comment }: Decision, byTool: boolean): Promise<Answer> {
  const { client, ctx } = call
  const input = { run, question, ...(comment === undefined ? {} : { comment }) }
  try {
    const decided =
      verdict === 'approve'
        ? await client.call('runs.approve', { ...input, by_tool: byTool }, ctx.mcpReq.signal)
        : await client.call('runs.reject', input, ctx.mcpReq.signal)
    call.ready(decided.run.id)
    return stateOf(decided.run)
  } catch (error) {
    if (error instanceof ReeveError && error.code === 'wrong_state' && (await wasSaid(call, run, verdict, question))) {
      return stateOf(await client.call('runs.get', { run }, ctx.mcpReq.signal))
    }
    throw error
  }
}

/** The same decision again changes nothing, and is no error. */
async function wasSaid({ client, ctx }: Call, run: string, verdict: Decision['verdict'], question: string): Promise<boolean> {
  const { decisions } = await client.call('runs.explain', { run }, ctx.mcpReq.signal)
  const type = verdict === 'approve' ? 'approval.given' : 'approval.refused'
  return decisions.some((it) => it.type === type && it.data['what'] === question)
}

async function ask(call: Call, { run, question }: Decision): Promise<Answer> {
  const { client, ctx } = call
  const view = await client.call('runs.get', { run }, ctx.mcpReq.signal)
  const open = await openQuestion(client, view, ctx.mcpReq.signal)
  if (open === null || open.id !== question) {
    const status = open === null ? view.status : `waiting with the question "${open.id}"`
    throw new ReeveError('wrong_state', { run: view.id, status, action: `an answer to "${question}"`, allowed: 'that question to be open' })
  }
  const message = visible(
    `Run ${view.id} (${view.task.title}) asks: ${open.text}\nIts changes: reeve diff ${view.id}, or reeve://runs/${view.id}/diff`,
  )
  return inputRequired({
    inputRequests: { decision: inputRequired.elicit({ message, requestedSchema: decisionForm }) },
    requestState: await call.seal({ run, question }),
  })
}
