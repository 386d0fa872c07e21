import { z } from 'zod'
import type { InputOf } from '../client/client.ts'
import { ReeveError } from '../core/errors.ts'
import { TASK_KINDS } from '../core/task.ts'
import { answer, linkTo } from './answer.ts'
import { ids, idsOut, oldList, oldText, pollAfter, stateField } from './fields.ts'
import { createdTask } from './tasks.ts'
import { type Call, define, type ToolSpec } from './tool.ts'

const input = z.strictObject({
  task: z.string().optional().describe('What is wanted; the first line is its title'),
  taskFile: z.string().optional().describe('Instead of task: YAML or JSON of one or several tasks'),
  repository: z.string().optional().describe('Absolute path; the current one when absent'),
  kind: z.enum(TASK_KINDS).optional(),
  role: z.string().optional(),
  workflow: z.string().optional(),
  priority: z.int().optional(),
  maxUsd: z.number().optional(),
  maxTokens: z.int().optional(),
  timeoutMinutes: z.number().optional(),
  idempotencyKey: z.string().optional().describe('The same key again: the same run'),
  workspace_files: oldList('paths in task'),
  provider: oldText('configuration'),
  model: oldText('configuration'),
})
type Input = z.output<typeof input>

const output = z.looseObject({
  ...idsOut,
  state: stateField,
  workspace: z.string().optional(),
  pollAfterMs: z.int(),
  warnings: z.array(z.string()).optional(),
})

const spec: ToolSpec<typeof input, typeof output> = {
  name: 'ai_coder_create',
  title: 'Start a coding run',
  description: 'Queue a coding task; returns at once. Follow it with ai_coder_status.',
  input,
  output,
  annotations: { destructiveHint: false, openWorldHint: true },
  run: async (call, asked) => (await create(call, asked)).result,
}

export const createTool = define(spec)

export const runTool = define({
  ...spec,
  name: 'ai_coder_run',
  title: 'Run a coding task',
  description: 'As ai_coder_create; as a task for hosts that follow tasks.',
  run: async (call, asked) => {
    const { result, run } = await create(call, asked)
    return call.wantsTasks ? createdTask(call, run, result) : result
  },
})

async function create(call: Call, asked: Input) {
  const { runs, warnings } = await call.client.call('runs.submit', wish(asked), call.ctx.mcpReq.signal)
  const [first] = runs
  if (first === undefined) throw new ReeveError('invalid_input', { problem: 'The file holds no task.' })
  for (const { id } of runs) call.ready(id)
  const notes = [
    ...warnings,
    ...(asked.model === undefined ? [] : [`"model" is not used; the model is that of the provider in the configuration.`]),
  ]
  const data = {
    ...ids(first.id),
    state: first.status,
    ...(first.paths.workspace === '' ? {} : { workspace: first.paths.workspace }),
    pollAfterMs: pollAfter(first.status),
    ...(runs.length > 1 ? { runs: runs.map((it) => it.id) } : {}),
    ...(notes.length === 0 ? {} : { warnings: notes }),
  }
  return {
    result: answer(
      data,
      runs.map((it) => linkTo(it.id)),
    ),
    run: first,
  }
}

function wish(asked: Input): InputOf<'runs.submit'> {
  const { task, taskFile, workspace_files: files = [] } = asked
  const first = files.length === 0 ? '' : `\n\nFiles to look at first: ${files.join(', ')}`
  return {
    ...(task === undefined ? {} : { sentence: `${task}${first}` }),
    ...(taskFile === undefined ? {} : { documents: [{ name: 'taskFile', text: taskFile }] }),
    ...(asked.repository === undefined ? {} : { project: asked.repository }),
    ...(asked.kind === undefined ? {} : { kind: asked.kind }),
    ...(asked.role === undefined ? {} : { role: asked.role }),
    ...(asked.workflow === undefined ? {} : { workflow: asked.workflow }),
    ...(asked.provider === undefined ? {} : { provider: asked.provider }),
    ...(asked.priority === undefined ? {} : { priority: asked.priority }),
    ...(asked.maxUsd === undefined ? {} : { max_usd: asked.maxUsd }),
    ...(asked.maxTokens === undefined ? {} : { max_tokens: asked.maxTokens }),
    ...(asked.timeoutMinutes === undefined ? {} : { timeout_minutes: asked.timeoutMinutes }),
    ...(asked.idempotencyKey === undefined ? {} : { key: asked.idempotencyKey }),
  }
}
