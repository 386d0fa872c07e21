import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  type CallToolResult,
  inputRequired,
  type McpServer,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { visible } from '../core/hostile-text.ts'
import type { RunView } from '../core/run.ts'
import { answer, harmless, linkTo } from './answer.ts'
import { decisionForm } from './decide.ts'
import { ids } from './fields.ts'
import { openQuestion } from './status.ts'
import type { Answer, Call } from './tool.ts'

/** A run as a task of the protocol. */
export const TASKS = 'io.modelcontextprotocol/tasks'

// Steps take seconds to minutes.
const POLL_MS = 2000

/** The handle of a task: it cannot be guessed, and serves nobody but the caller who got it. */
export function sealTask(key: Uint8Array, caller: string, run: string): string {
  return `${run}.${macOf(key, caller, run)}`
}

/** The run of a handle; null for one that we have not given to this caller. */
export function openTask(key: Uint8Array, caller: string, task: string): string | null {
  const at = task.lastIndexOf('.')
  const [run, mac] = [task.slice(0, Math.max(at, 0)), Buffer.from(task.slice(at + 1))]
  const right = Buffer.from(macOf(key, caller, run))
  return mac.length === right.length && timingSafeEqual(mac, right) ? run : null
}

function macOf(key: Uint8Array, caller: string, run: string): string {
  return createHmac('sha256', key).update(`task\0${caller}\0${run}`).digest('base64url').slice(0, 27) // 160 bits
}

/** The first answer to a call that has become a task. The run is stored by then. What a plain call would have answered goes along. */
export function createdTask(call: Call, run: RunView, plain: CallToolResult): Answer {
  const { statusMessage: _, ...task } = taskOf(call.taskId(run.id), run, 'working')
  return { ...plain, resultType: 'task', ...task }
}

type TaskStatus = 'working' | 'input_required' | 'completed' | 'cancelled'

function statusOf({ status, reason }: RunView): TaskStatus {
  if (status === 'cancelled') return 'cancelled'
  // Gates that say no are an answer, not a fault of the protocol.
  if (status === 'succeeded' || status === 'failed') return 'completed'
  return status === 'waiting' && reason === 'approval' ? 'input_required' : 'working'
}

function taskOf(taskId: string, run: RunView, status = statusOf(run)) {
  const last = run.finishedAt ?? run.steps.at(-1)?.finishedAt ?? run.steps.at(-1)?.startedAt ?? run.createdAt
  return {
    taskId,
    status,
    ...(run.message === null ? {} : { statusMessage: visible(run.message) }),
    createdAt: new Date(run.createdAt).toISOString(),
    lastUpdatedAt: new Date(last).toISOString(),
    /** Runs are kept until a person removes them. */
    ttlMs: null,
    pollIntervalMs: POLL_MS,
  }
}

const params = z.looseObject({ taskId: z.string() })
const anything = z.looseObject({})
const answered = z.object({ action: z.string(), content: decisionForm.optional() })

/** Answers `tasks/get`, `tasks/update` and `tasks/cancel`. `callOf`: who calls; `runOf`: the run of a handle of theirs. */
export function serveTasks({ server }: McpServer, callOf: (ctx: Call['ctx']) => Call, runOf: (taskId: string) => string | null): void {
  const on = (method: string, answerTo: (call: Call, run: string, asked: z.output<typeof params>) => Promise<Record<string, unknown>>) => {
    server.setRequestHandler(method, { params, result: anything }, async (asked, ctx) => {
      const call = callOf(ctx)
      if (!call.wantsTasks) throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS]: {} } } })
      const run = runOf(asked.taskId)
      if (run === null) throw unknownTask()
      try {
        return { resultType: 'complete', ...(await answerTo(call, run, asked)) }
      } catch (error) {
        throw error instanceof ReeveError && error.code === 'run_not_found' ? unknownTask() : error
      }
    })
  }
  on('tasks/get', async (call, run, { taskId }) => describe(call, taskId, run))
  on('tasks/cancel', async ({ client, ctx }, run) => {
    // What has ended stays as it ended.
    await client.call('runs.cancel', { run }, ctx.mcpReq.signal).catch(unless('wrong_state'))
    return {}
  })
  on('tasks/update', async (call, run) => {
    for (const [question, response] of Object.entries(call.ctx.mcpReq.inputResponses ?? {})) await take(call, run, question, response)
    return {}
  })
}

function unknownTask(): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, 'There is no such task')
}

function unless(code: ReeveError['code']): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof ReeveError) || error.code !== code) throw error
  }
}

async function describe({ client, ctx, canAsk }: Call, taskId: string, id: string): Promise<Record<string, unknown>> {
  const run = await client.call('runs.get', { run: id }, ctx.mcpReq.signal)
  const task = taskOf(taskId, run)
  if (task.status === 'completed') return { ...task, result: resultOf(run) }
  if (task.status !== 'input_required') return task
  const open = await openQuestion(client, run, ctx.mcpReq.signal)
  // A host that can show no form waits; the decision comes by another way.
  if (open === null || !canAsk) return { ...task, status: 'working' }
  const message = visible(`Run ${run.id} (${run.task.title}) asks: ${open.text}`)
  return { ...task, inputRequests: { [open.id]: inputRequired.elicit({ message, requestedSchema: decisionForm }) } }
}

function resultOf(run: RunView): Record<string, unknown> {
  const { verdict, branch, commit, cost, status, reason, message } = run
  const data = { ...ids(run.id), state: status, reason, message, verdict: verdict?.status ?? null, branch, commit, costUsd: cost }
  const result = answer(harmless(data) as Record<string, unknown>, [linkTo(run.id)])
  return { ...result, ...(status === 'failed' ? { isError: true } : {}) }
}

/** The answer of a person to the question of a task. One that says nothing leaves the question open. */
async function take({ client, ctx, ready }: Call, run: string, question: string, response: unknown): Promise<void> {
  const { action, content } = answered.safeParse(response).data ?? {}
  if (action !== 'accept' || content === undefined) return
  const input = { run, question, ...(content.comment === undefined ? {} : { comment: content.comment }) }
  // Somebody else may have decided meanwhile: the next `tasks/get` shows how.
  const name = content.decision === 'approve' ? 'runs.approve' : 'runs.reject'
  await client.call(name, input, ctx.mcpReq.signal).catch(unless('wrong_state'))
  ready(run)
}
