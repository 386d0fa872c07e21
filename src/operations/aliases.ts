import { z } from 'zod'
import type { RunStatus } from '../core/run.ts'
import { TASK_KINDS } from '../core/task.ts'
import type { Operations } from './table.ts'

type OperationName = keyof Operations

/** Calls an operation as the caller of the alias. */
export type Call = (operation: OperationName, input: { [key: string]: unknown }) => Promise<unknown>

/**
 * A route of an older system, kept working over the operations. Whatever it does, an operation does: permissions, checks and events are the
 * same.
 */
export interface RouteAlias {
  route: `${'GET' | 'POST'} /${string}`
  summary: string
  /** The operation to use instead. */
  instead: OperationName
  /** Fields of path, query and body together. Loose: what an older program sends besides is ignored, or kept with the task. */
  input: z.ZodObject
  /** Success status of HTTP. */
  status: 200 | 202
  run(call: Call, input: { [key: string]: unknown }): Promise<{ [key: string]: unknown } | unknown[]>
}

interface Run {
  id: string
  status: RunStatus
  reason: string | null
  message: string | null
  branch: string | null
  project: string
  task: { id: string; title: string; role: string }
  progress: { percent: number; stage: string; remainingMs: number | null } | null
  createdAt: number
  startedAt: number | null
  finishedAt: number | null
}

const project = z.string().optional().describe('Absolute path of the project; the one the caller is in when absent.')

/** `passed` and `failed` are what the gates said, `error` is everything else that went wrong. */
export function taskState(run: Pick<Run, 'status' | 'reason'>): 'queued' | 'running' | 'passed' | 'failed' | 'error' {
  if (run.status === 'succeeded') return 'passed'
  if (run.status === 'failed') return run.reason === 'gates' ? 'failed' : 'error'
  if (run.status === 'cancelled') return 'error'
  return run.status === 'queued' || run.reason === 'dependency' ? 'queued' : 'running'
}

function taskBody(run: Run): { [key: string]: unknown } {
  const state = taskState(run)
  const lastError = state === 'failed' || state === 'error' ? (run.message ?? (run.status === 'cancelled' ? 'cancelled' : null)) : null
  return { id: run.task.id, job_id: run.id, role: run.task.role, branch: run.branch, state, last_error: lastError }
}

async function listed(call: Call, input: { [key: string]: unknown }): Promise<Run[]> {
  return ((await call('runs.list', input)) as { runs: Run[] }).runs
}

/** The newest run of a task, or the run itself where its id is given. Throws `run_not_found`. */
async function runOfTask(call: Call, id: string): Promise<Run> {
  const [newest] = await listed(call, { all: true, task: id, limit: 1 })
  return newest ?? ((await call('runs.get', { run: id })) as Run)
}

const TASKS: readonly RouteAlias[] = [
  {
    route: 'POST /tasks',
    summary: 'Queues a run of a task.',
    instead: 'runs.submit',
    input: z.looseObject({
      project,
      id: z.string(),
      title: z.string(),
      description: z.string(),
      role: z.string().optional(),
    }),
    status: 202,
    async run(call, { project: where, ...task }) {
      const documents = [{ name: 'body', text: JSON.stringify(task) }]
      const { runs } = (await call('runs.submit', { documents, ...(where === undefined ? {} : { project: where }) })) as { runs: Run[] }
      return { job_id: runs[0]?.id, task_id: runs[0]?.task.id }
    },
  },
  {
    route: 'GET /tasks',
    summary: 'Lists tasks by their newest runs.',
    instead: 'runs.list',
    input: z.object({ project, limit: z.int().min(1).max(1000).optional() }),
    status: 200,
    async run(call, { project: where, limit }) {
      const scope = where === undefined ? { all: true } : { project: where }
      const runs = await listed(call, { ...scope, limit: limit ?? 100 })
      const newest = new Map<string, Run>()
      for (const run of runs) {
        const key = `${run.project}\n${run.task.id}`
        if (!newest.has(key)) newest.set(key, run)
      }
      return [...newest.values()].map(taskBody)
    },
  },
  {
    route: 'GET /tasks/{id}',
    summary: 'The state of a task: its newest run.',
    instead: 'runs.get',
    input: z.object({ id: z.string() }),
    status: 200,
    run: async (call, { id }) => taskBody(await runOfTask(call, String(id))),
  },
]

/** What older programs call a kind of work -> the kind of change. All of them take the workflow `build`. */
const WORKFLOW_TYPES = { 'new-app': 'feature', 'existing-app': 'feature', saas: 'feature', research: 'docs' } as const
const AUTONOMY = { manual: 'manual', assisted: 'supervised', autonomous: 'autonomous' } as const
const ACTIONS = { pause: 'runs.pause', resume: 'runs.resume', stop: 'runs.cancel', restart: 'runs.restart' } as const

function workflowStatus(run: Pick<Run, 'status' | 'reason'>): string {
  if (run.status === 'succeeded') return 'completed'
  if (run.status === 'cancelled') return 'stopped'
  if (run.status === 'queued') return 'pending'
  return run.status === 'waiting' && run.reason === 'paused' ? 'paused' : run.status === 'waiting' ? 'waiting' : run.status
}

function workflowBody(run: Run): { [key: string]: unknown } {
  const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  return {
    workflowId: run.id,
    projectId: run.project,
    status: workflowStatus(run),
    reason: run.reason,
    message: run.message,
    progress: run.progress?.percent ?? 0,
    currentStage: run.progress?.stage ?? null,
    estimatedRemainingMs: run.progress?.remainingMs ?? null,
    createdAt: time(run.createdAt),
    startedAt: time(run.startedAt),
    completedAt: time(run.finishedAt),
  }
}

/** A run as `runs.get` gives it has its project among its paths. */
function flat(run: unknown): Run {
  const it = run as Run & { paths?: { project: string } }
  return { ...it, project: it.project ?? it.paths?.project ?? '' }
}

const WORKFLOWS: readonly RouteAlias[] = [
  {
    route: 'POST /api/v1/workflows/start',
    summary: 'Queues a run of the workflow `build`.',
    instead: 'runs.submit',
    input: z.object({
      projectId: project,
      workflowType: z.enum(Object.keys(WORKFLOW_TYPES) as [keyof typeof WORKFLOW_TYPES]).default('existing-app'),
      configuration: z
        .looseObject({ task: z.string().min(1).describe('What is wanted, in words.'), kind: z.enum(TASK_KINDS).optional() })
        .describe('Besides `task`: `kind`, `role`, `provider`, `maxUsd`.'),
      autonomyLevel: z.enum(Object.keys(AUTONOMY) as [keyof typeof AUTONOMY]).default('assisted'),
    }),
    status: 202,
    async run(call, input) {
      const configuration = input['configuration'] as { task: string; kind?: string; role?: string; provider?: string; maxUsd?: number }
      const { task: sentence, kind, role, provider, maxUsd } = configuration
      const { runs } = (await call('runs.submit', {
        sentence,
        workflow: 'build',
        kind: kind ?? WORKFLOW_TYPES[input['workflowType'] as keyof typeof WORKFLOW_TYPES],
        autonomy: AUTONOMY[input['autonomyLevel'] as keyof typeof AUTONOMY],
        ...(input['projectId'] === undefined ? {} : { project: input['projectId'] }),
        ...(role === undefined ? {} : { role }),
        ...(provider === undefined ? {} : { provider }),
        ...(maxUsd === undefined ? {} : { max_usd: maxUsd }),
      })) as { runs: unknown[] }
      return workflowBody(flat(runs[0]))
    },
  },
  {
    route: 'GET /api/v1/workflows/{id}/status',
    summary: 'The state of a run.',
    instead: 'runs.get',
    input: z.object({ id: z.string() }),
    status: 200,
    run: async (call, { id }) => workflowBody(flat(await call('runs.get', { run: id }))),
  },
  {
    route: 'POST /api/v1/workflows/{id}/control',
    summary: 'Pauses, resumes, stops or restarts a run.',
    instead: 'runs.pause',
    input: z.object({ id: z.string(), action: z.enum(Object.keys(ACTIONS) as [keyof typeof ACTIONS]) }),
    status: 200,
    async run(call, { id, action }) {
      const answer = (await call(ACTIONS[action as keyof typeof ACTIONS], { run: id })) as { run?: unknown; runs?: unknown[] }
      return workflowBody(flat(answer.run ?? answer.runs?.[0]))
    },
  },
]

/** Routes of older systems, documented in docs/guides/older-names.md. `/metrics` and the MCP tools `ai_coder_*` keep their names by themselves. */
export const ROUTE_ALIASES: readonly RouteAlias[] = [...TASKS, ...WORKFLOWS]
