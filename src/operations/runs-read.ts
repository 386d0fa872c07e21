import { z } from 'zod'
import type { EventType } from '../core/event.ts'
import { RUN_STATUSES } from '../core/run.ts'
import { projectsOf, runNamed } from './context.ts'
import { operation, stream } from './operation.ts'
import { projectInput, runEventSchema, runInput, runSummarySchema, runViewSchema } from './shapes.ts'
import { summariesOf, viewOf } from './views.ts'

export const runsList = operation({
  name: 'runs.list',
  route: 'GET /api/v1/runs',
  summary: 'Lists runs, the newest first.',
  permission: 'runs:read',
  effect: 'read',
  input: z.object({
    project: projectInput,
    all: z.boolean().default(false).describe('Of all projects.'),
    task: z.string().optional().describe('Only runs of the task with this id.'),
    status: z.array(z.enum(RUN_STATUSES)).default([]).describe('Only these statuses.'),
    limit: z.int().min(1).max(1000).default(20),
    after: z.string().optional().describe('The `next` of the answer before: what follows it.'),
  }),
  output: z.object({ runs: z.array(runSummarySchema), next: z.string().nullable().describe('For `after`; null: these are the last.') }),
  async handler(context, input) {
    const projects = await projectsOf(context, input)
    const store = await context.store()
    const rows = await store.listRuns({
      limit: input.limit + 1,
      ...(input.after === undefined ? {} : { after: input.after }),
      ...(projects === null ? {} : { projects }),
      ...(input.task === undefined ? {} : { task: input.task }),
      ...(input.status.length === 0 ? {} : { states: input.status }),
    })
    const shown = rows.slice(0, input.limit)
    const next = rows.length > input.limit ? (shown.at(-1)?.id ?? null) : null
    return { runs: await summariesOf(context, store, shown), next }
  },
})

export const runsGet = operation({
  name: 'runs.get',
  route: 'GET /api/v1/runs/{run}',
  summary: 'Tells everything about a run: steps, verdict, usage, paths.',
  permission: 'runs:read',
  effect: 'read',
  input: z.object({ run: runInput }),
  output: runViewSchema,
  async handler(context, input) {
    const store = await context.store()
    return viewOf(context, store, await runNamed(context, store, input.run))
  },
})

export const runsEvents = stream({
  name: 'runs.events',
  route: 'GET /api/v1/runs/{run}/events',
  summary: 'Gives the events of a run, and those to come with "follow".',
  permission: 'runs:read',
  effect: 'read',
  input: z.object({
    run: runInput,
    after: z.int().min(0).default(0).describe('Only events with a higher number.'),
    follow: z.boolean().default(false).describe('Stay until the run has ended.'),
  }),
  events: runEventSchema,
  resume: { id: (event) => String(event.seq), after: (id) => ({ after: Number(id) }) },
  async *handler(context, input, signal) {
    const store = await context.store()
    const { id } = await runNamed(context, store, input.run)
    if (input.follow) yield* store.tail(id, input.after, signal)
    else yield* store.allEvents(id, input.after)
  },
})

/** Events that tell why something was chosen or decided. */
const DECISIONS: readonly EventType[] = [
  'limit.broken',
  'budget.reached',
  'provider.chosen',
  'provider.limited',
  'provider.failed',
  'verdict.reached',
  'proof.finished',
  'attempt.rejected',
  'approval.asked',
  'approval.given',
  'approval.refused',
  'run.waiting',
  'run.interrupted',
  'run.finished',
]

export const runsExplain = operation({
  name: 'runs.explain',
  route: 'GET /api/v1/runs/{run}/decisions',
  summary: 'Tells the decisions of a run with their reasons.',
  permission: 'runs:read',
  effect: 'read',
  input: z.object({ run: runInput }),
  output: z.object({ run: z.string(), decisions: z.array(runEventSchema) }),
  async handler(context, input) {
    const store = await context.store()
    const { id } = await runNamed(context, store, input.run)
    return { run: id, decisions: await store.eventsOfType(id, DECISIONS) }
  },
})
