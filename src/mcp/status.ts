import { z } from 'zod'
import type { Client } from '../client/client.ts'
import { isFinished, type RunView } from '../core/run.ts'
import { answer } from './answer.ts'
import { cut, said } from './event-line.ts'
import { ids, idsOut, pollAfter, runFields, runIdOf, stateField } from './fields.ts'
import { eventsAfter } from './follow.ts'
import { type Call, define } from './tool.ts'

// Below the 30 s that some hosts give a call.
const MAX_WAIT_MS = 25_000
// What a model reads of the past; more with ai_coder_logs.
const MAX_EVENTS = 12

export const statusTool = define({
  name: 'ai_coder_status',
  title: 'Follow a run',
  description:
    'State of a run. With sinceEvent and waitMs it waits for the next event, or for its end. Ending the call does not end the run.',
  input: z.strictObject({
    ...runFields,
    sinceEvent: z.int().min(0).optional().describe('lastEvent of an earlier answer'),
    waitMs: z.int().min(0).max(MAX_WAIT_MS).optional(),
    until: z.enum(['event', 'rest']).default('event').describe('rest: until it ends or waits'),
  }),
  output: z.looseObject({
    ...idsOut,
    state: stateField,
    reason: z.string().optional(),
    message: z.string().optional(),
    step: z.string().optional(),
    events: z.array(z.object({ seq: z.int(), type: z.string(), text: z.string() })),
    lastEvent: z.int(),
    approval: z.object({ id: z.string(), text: z.string(), how: z.string() }).optional(),
    pollAfterMs: z.int(),
  }),
  annotations: { readOnlyHint: true },
  async run(call, input) {
    const asked = runIdOf('ai_coder_status', input)
    const signal = call.ctx.mcpReq.signal
    const after = input.sinceEvent ?? 0
    const { id, status } = await call.client.call('runs.get', { run: asked }, signal)
    const rests = input.until === 'rest' && (status === 'waiting' || isFinished(status))
    const events = await eventsAfter(call, id, after, { waitMs: rests ? 0 : (input.waitMs ?? 0), until: input.until })
    const view = await call.client.call('runs.get', { run: id }, signal)
    const step = view.steps.findLast((it) => it.status === 'running')?.name
    const approval = await openQuestion(call.client, view, signal)
    return answer({
      ...ids(id),
      state: view.status,
      ...(view.reason === null ? {} : { reason: view.reason }),
      ...(view.message === null ? {} : { message: view.message }),
      ...(step === undefined ? {} : { step }),
      ...outcome(view),
      events: events.slice(-MAX_EVENTS).map((it) => ({ seq: it.seq, type: it.type, text: cut(said(it)) })),
      lastEvent: events.at(-1)?.seq ?? after,
      ...(approval === null ? {} : { approval: { ...approval, how: howToDecide(call, id) } }),
      pollAfterMs: pollAfter(view.status),
    })
  },
})

/** What a run has come to, as far as it is known. */
function outcome({ verdict, branch, commit, cost }: RunView): Record<string, unknown> {
  return {
    ...(verdict === null ? {} : { verdict: { status: verdict.status, score: verdict.score } }),
    ...(commit === null ? {} : { branch, commit }),
    ...(cost === null ? {} : { costUsd: cost }),
  }
}

/** The question that a run waits with, null when there is none. */
export async function openQuestion(client: Client, view: RunView, signal: AbortSignal): Promise<{ id: string; text: string } | null> {
  if (view.status !== 'waiting' || view.reason !== 'approval') return null
  const { decisions } = await client.call('runs.explain', { run: view.id }, signal)
  const asked = decisions.findLast((it) => it.type === 'approval.asked')
  if (asked === undefined) return null
  const { what, message } = asked.data
  return { id: typeof what === 'string' ? what : '', text: typeof message === 'string' ? message : (view.message ?? '') }
}

function howToDecide({ canAsk }: Call, run: string): string {
  return canAsk
    ? 'ai_coder_control with action approve or reject asks the person'
    : `a person decides: reeve approve ${run}, or reeve reject ${run}`
}
