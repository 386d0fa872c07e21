import { z } from 'zod'
import { redactAll } from '../core/redact.ts'
import { startTimes } from '../engine/queue-times.ts'
import { type Placed, queueOrder } from '../engine/schedule.ts'
import type { Durations } from '../store/durations.ts'
import type { Store } from '../store/open.ts'
import { ALL_PROJECTS, type HeldRun, type Pause } from '../store/queue.ts'
import { type Context, projectsOf, settingsOf } from './context.ts'
import { operation } from './operation.ts'
import { queueLimits } from './queue-settings.ts'
import { projectInput } from './shapes.ts'

export const pauseSchema = z.object({
  scope: z.string().describe('Root of a project, or "*" for all.'),
  mode: z.enum(['paused', 'draining']),
  actor: z.string(),
  since: z.number(),
})

const placeSchema = z.object({
  run: z.string(),
  task: z.object({ id: z.string(), title: z.string(), role: z.string() }),
  project: z.string(),
  workflow: z.string(),
  priority: z.int(),
  position: z.int().nullable().describe('From 1 over all projects; null: it does not begin by itself, or not yet.'),
  reason: z.string().nullable().describe('Why it waits; null: it begins next.'),
  notBefore: z.number().nullable(),
  startsAt: z.number().nullable().describe('About when, epoch ms; null: nobody knows.'),
  basis: z.string().describe('What that is made from.'),
  createdAt: z.number(),
})
export type QueuePlace = z.infer<typeof placeSchema>

export const queueList = operation({
  name: 'queue.list',
  route: 'GET /api/v1/queue',
  summary: 'Shows which runs are queued: in which order they begin, why each waits, and about when it begins.',
  permission: 'queue:read',
  effect: 'read',
  input: z.object({
    project: projectInput,
    all: z.boolean().default(false).describe('Of all projects.'),
    limit: z.int().min(1).max(1000).default(50),
  }),
  output: z.object({
    queued: z.int().describe('How many are queued, also those behind the limit of this answer.'),
    atWork: z.int(),
    maxConcurrent: z.int(),
    pauses: z.array(pauseSchema),
    runs: z.array(placeSchema),
  }),
  async handler(context, input) {
    const projects = await projectsOf(context, input)
    const theirs = (project: string) => projects === null || projects.includes(project)
    const store = await context.store()
    const { settings } = await settingsOf(context, null)
    const limits = queueLimits(settings)
    const now = context.clock.now()
    const [queued, atWork, pauses] = [await store.queue.queuedRuns(), await store.queue.runsAtWork(), await store.queue.pauses()]
    const order = queueOrder(queued, await store.queue.load(), limits, { starts: 0, served: new Map(), now }, stoppedBy(pauses, now))
    const usual = await durationsOf(store, [...queued, ...atWork])
    const usualMs = (it: { project: string; workflow: string }) => usual.get(it.project)?.get(it.workflow)?.medianMs ?? null
    const starts = startTimes(
      order.filter((it) => it.position !== null).map(({ run }) => ({ ...run, usualMs: usualMs(run) })),
      atWork.map((it) => ({ ...it, usualMs: usualMs(it) })),
      limits,
      now,
    )
    const shown = order.filter((it) => theirs(it.run.project))
    return {
      queued: shown.length,
      atWork: atWork.filter((it) => theirs(it.project)).length,
      maxConcurrent: limits.max,
      pauses: pauses.filter((it) => it.scope === ALL_PROJECTS || theirs(it.scope)),
      runs: await Promise.all(shown.slice(0, input.limit).map((it) => placeOf(context, store, it, starts))),
    }
  },
})

/** What no turn helps against, in words. */
function stoppedBy(pauses: readonly Pause[], now: number): (run: HeldRun) => string | null {
  const byScope = new Map(pauses.map((it) => [it.scope, it]))
  return (run) => {
    const pause = byScope.get(ALL_PROJECTS) ?? byScope.get(run.project)
    if (pause) return `queue ${pause.mode} by ${pause.actor} since ${isoOf(pause.since)}`
    if (run.runAt > now) return `starts at ${isoOf(run.runAt)}`
    return run.held
  }
}

function isoOf(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
}

async function durationsOf(store: Store, runs: readonly { project: string }[]): Promise<Map<string, Durations>> {
  const projects = [...new Set(runs.map((it) => it.project))]
  return new Map(await Promise.all(projects.map(async (it) => [it, await store.durations(it)] as const)))
}

async function placeOf(
  context: Context,
  store: Store,
  { run, position, reason }: Placed<HeldRun>,
  starts: ReadonlyMap<string, number>,
): Promise<QueuePlace> {
  const row = await store.getRun(run.run)
  const { id, title } = redactAll(row?.task ?? { id: '', title: '' }, context.secrets.redact)
  const scheduled = position === null && run.runAt > context.clock.now()
  const startsAt = scheduled ? run.runAt : (starts.get(run.run) ?? null)
  return {
    run: run.run,
    task: { id, title, role: run.role },
    project: run.project,
    workflow: run.workflow,
    priority: run.priority,
    position,
    reason,
    notBefore: run.runAt === 0 ? null : run.runAt,
    startsAt: startsAt,
    basis: basisOf(position, scheduled, startsAt),
    createdAt: run.createdAt,
  }
}

function basisOf(position: number | null, scheduled: boolean, startsAt: number | null): string {
  if (scheduled) return 'not before its time; later where others are at work then'
  if (position === null) return 'it does not begin by itself'
  if (startsAt === null) return 'no run like one of those before it has ended yet'
  return 'what past runs of the same project and workflow took, and the limits of now'
}
