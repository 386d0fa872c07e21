import { z } from 'zod'
import { EVENT_TYPES, type EventType, type RunEvent } from '../core/event.ts'
import type { Json } from '../core/json.ts'
import { STAGES } from '../core/progress.ts'
import { RUN_STATUSES, type RunView, STEP_KINDS } from '../core/run.ts'
import { taskSchema } from '../core/task.ts'
import { gateStatusSchema, verdictSchema } from '../core/verdict.ts'

/** What the operations answer with, as schemas. The types are those of `core/`. */
const json: z.ZodType<Json> = z.json()

export const runEventSchema = z.object({
  run: z.string(),
  seq: z.int(),
  ts: z.number(),
  type: z.enum(Object.keys(EVENT_TYPES) as [EventType, ...EventType[]]),
  data: z.record(z.string(), json),
}) satisfies z.ZodType<RunEvent>

const usageSchema = z.object({ inputTokens: z.number(), outputTokens: z.number(), cachedInputTokens: z.number(), requests: z.number() })
const reasonSchema = z.enum(['approval', 'paused', 'quota', 'dependency', 'budget', 'gates', 'error', 'timeout', 'crash_loop']).nullable()

const stepViewSchema = z.object({
  name: z.string(),
  kind: z.enum(STEP_KINDS),
  role: z.string().nullable(),
  provider: z.string().nullable(),
  status: z.enum(['running', 'succeeded', 'failed', 'interrupted']),
  attempt: z.int(),
  summary: z.string().nullable(),
  startedAt: z.number(),
  finishedAt: z.number().nullable(),
  usage: usageSchema,
  cost: z.number().nullable(),
})

const milestoneSchema = z.object({ name: z.string(), at: z.number() })

/** How far a run is. Of runs in a list only those that have not ended have one. */
const progressSchema = z.object({
  percent: z.int().min(0).max(100),
  stage: z.enum(STAGES),
  milestones: z.array(milestoneSchema),
  remainingMs: z.number().nullable(),
  basis: z.string(),
})

export const runViewSchema = z.object({
  id: z.string(),
  task: taskSchema,
  status: z.enum(RUN_STATUSES),
  reason: reasonSchema,
  message: z.string().nullable(),
  workflow: z.string(),
  base: z.string(),
  branch: z.string(),
  commit: z.string().nullable(),
  attempts: z.int(),
  progress: progressSchema,
  isolation: z.string(),
  steps: z.array(stepViewSchema),
  verdict: verdictSchema.nullable(),
  usage: usageSchema,
  cost: z.number().nullable(),
  paths: z.object({ project: z.string(), workspace: z.string(), evidence: z.string().nullable(), log: z.string() }),
  createdAt: z.number(),
  priority: z.int(),
  notBefore: z.number().nullable(),
  startedAt: z.number().nullable(),
  finishedAt: z.number().nullable(),
}) satisfies z.ZodType<RunView>

/** A run in a list. */
export const runSummarySchema = z.object({
  id: z.string(),
  task: z.object({ id: z.string(), title: z.string(), role: z.string(), kind: z.string() }),
  status: z.enum(RUN_STATUSES),
  reason: reasonSchema,
  message: z.string().nullable(),
  workflow: z.string(),
  branch: z.string().nullable(),
  attempts: z.int(),
  /** Of a run that has not ended. */
  progress: progressSchema.pick({ percent: true, stage: true, remainingMs: true, basis: true }).nullable(),
  verdict: gateStatusSchema.nullable(),
  landed: z.boolean(),
  project: z.string(),
  createdAt: z.number(),
  priority: z.int(),
  notBefore: z.number().nullable(),
  startedAt: z.number().nullable(),
  finishedAt: z.number().nullable(),
})
export type RunSummary = z.infer<typeof runSummarySchema>

export const runInput = z.string().min(1).describe('The run: its id, a part of it that fits one run only, or "last".')
export const projectInput = z.string().optional().describe('A folder of the project; the current folder when absent.')
