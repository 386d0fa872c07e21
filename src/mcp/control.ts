import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { answer, linkTo } from './answer.ts'
import { decide } from './decide.ts'
import { ids, idsOut, runFields, runIdOf, stateField, stateOf } from './fields.ts'
import { type Answer, type Call, define } from './tool.ts'

const ACTIONS = ['pause', 'resume', 'cancel', 'restart', 'send', 'priority', 'approve', 'reject', 'stop'] as const
type Action = (typeof ACTIONS)[number]

export const controlTool = define({
  name: 'ai_coder_control',
  title: 'Steer a run',
  description: 'send gives comment to its next agent. approve and reject answer the open question; they ask the person where the host can.',
  input: z.strictObject({
    ...runFields,
    action: z.enum(ACTIONS).describe('stop = cancel'),
    approvalId: z.string().optional().describe('approval.id of ai_coder_status'),
    comment: z.string().max(10_000).optional(),
    priority: z.int().optional(),
  }),
  output: z.looseObject({ ...idsOut, state: stateField }),
  annotations: { destructiveHint: true, idempotentHint: true },
  async run(call, { action, approvalId, comment, priority, ...rest }) {
    const run = runIdOf('ai_coder_control', rest)
    if (action !== 'approve' && action !== 'reject') return STEPS[action](call, run, { comment, priority })
    if (approvalId === undefined)
      throw new ReeveError('invalid_input', { problem: 'ai_coder_control: approvalId: is missing; approval.id of ai_coder_status is it' })
    return decide(call, { run, verdict: action, question: approvalId, comment })
  },
})

type Step = (call: Call, run: string, more: { comment: string | undefined; priority: number | undefined }) => Promise<Answer>

const cancel: Step = async ({ client, ctx }, run) => stateOf((await client.call('runs.cancel', { run }, ctx.mcpReq.signal)).run)

const STEPS: Record<Exclude<Action, 'approve' | 'reject'>, Step> = {
  cancel,
  stop: cancel,
  pause: async ({ client, ctx }, run) => stateOf((await client.call('runs.pause', { run }, ctx.mcpReq.signal)).run),
  async resume(call, run) {
    const { client, ctx } = call
    const view = await client.call('runs.get', { run }, ctx.mcpReq.signal)
    // What goes on already is as it was wanted.
    if (view.status === 'running') return stateOf(view)
    const [first = view] = (await client.call('runs.resume', { run }, ctx.mcpReq.signal)).runs
    call.ready(first.id)
    return stateOf(first)
  },
  async restart(call, run) {
    const { client, ctx } = call
    const [fresh] = (await client.call('runs.restart', { run }, ctx.mcpReq.signal)).runs
    if (fresh === undefined) throw new ReeveError('run_not_found', { run })
    call.ready(fresh.id)
    return answer({ ...ids(fresh.id), state: fresh.status }, [linkTo(fresh.id)])
  },
  async send({ client, ctx }, run, { comment }) {
    if (comment === undefined) throw new ReeveError('invalid_input', { problem: 'ai_coder_control: send needs a comment: the instruction' })
    return stateOf((await client.call('runs.send', { run, text: comment }, ctx.mcpReq.signal)).run)
  },
  async priority({ client, ctx }, run, { priority }) {
    if (priority === undefined)
      throw new ReeveError('invalid_input', { problem: 'ai_coder_control: priority needs a priority: a whole number, higher is first' })
    return stateOf((await client.call('runs.prioritize', { run, priority }, ctx.mcpReq.signal)).run)
  },
}
