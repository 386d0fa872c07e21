import type { Context } from './tx.ts'

/** How long the finished runs of a project were worked on. */
export interface Durations {
  /** By workflow; a workflow without a finished run is missing. */
  workflows: ReadonlyMap<string, { medianMs: number; runs: number }>
}

// The last runs of a project say more than all of them: the code, the models and the gates of last year are gone.
const LATEST = 200
// Asked for with every look at a run or the queue; a finished run more or less changes a median little.
const KEPT_MS = 5000
const MOST_PROJECTS = 100

/** Reads the durations of projects, each again after some seconds at the earliest. */
export function createDurations(ctx: Context): (project: string) => Promise<Durations> {
  const kept = new Map<string, { at: number; durations: Promise<Durations> }>()
  return (project) => {
    const now = ctx.clock.now()
    const known = kept.get(project)
    if (known !== undefined && now - known.at < KEPT_MS) return known.durations
    if (kept.size >= MOST_PROJECTS) kept.clear()
    const durations = readDurations(ctx, project)
    kept.set(project, { at: now, durations })
    durations.catch(() => kept.delete(project))
    return durations
  }
}

/** Runs that ended by themselves; how long a cancelled one took says nothing. */
async function readDurations(ctx: Context, project: string): Promise<Durations> {
  const rows = await ctx.db
    .selectFrom('runs')
    .select(['workflow', 'active_ms'])
    .where('project', '=', project)
    .where('state', 'in', ['succeeded', 'failed'])
    .where('active_ms', '>', 0)
    .orderBy('id', 'desc')
    .limit(LATEST)
    .execute()
  const byWorkflow = new Map<string, number[]>()
  for (const it of rows) byWorkflow.set(it.workflow, [...(byWorkflow.get(it.workflow) ?? []), it.active_ms])
  return { workflows: new Map([...byWorkflow].map(([name, times]) => [name, { medianMs: median(times), runs: times.length }])) }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [below = 0, above = 0] = [sorted[middle - 1], sorted[middle]]
  return sorted.length % 2 === 1 ? above : (below + above) / 2
}
