import type { Context } from './tx.ts'

/** What past runs of one project and workflow took: time at work, without waits. */
export interface PastRuns {
  runs: number
  medianMs: number
  /** Nine of ten took no longer. */
  p90Ms: number
}

/** By workflow; one without a run that ended well is missing. */
export type Durations = ReadonlyMap<string, PastRuns>

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

/** Runs that ended well: how long a failed or cancelled one took says little about the next. */
async function readDurations(ctx: Context, project: string): Promise<Durations> {
  const rows = await ctx.db
    .selectFrom('runs')
    .select(['workflow', 'active_ms'])
    .where('project', '=', project)
    .where('state', '=', 'succeeded')
    .orderBy('id', 'desc')
    .limit(LATEST)
    .execute()
  const times = Map.groupBy(rows, (it) => it.workflow)
  return new Map([...times].map(([workflow, some]) => [workflow, pastOf(some.map((it) => it.active_ms))]))
}

function pastOf(times: readonly number[]): PastRuns {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? 0
  const middle = sorted.length / 2
  return { runs: sorted.length, medianMs: Math.round((at(0.5) + (sorted[Math.floor(middle)] ?? 0)) / 2), p90Ms: at(0.9) }
}
