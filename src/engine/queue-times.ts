import { addLoad, type Limited, limitInTheWay, loadOf, type QueueLimits } from '../store/queue-limits.ts'

/** A run in the order of the queue, and how long one like it usually takes; null: nobody knows. */
export interface Coming extends Limited {
  run: string
  usualMs: number | null
}

export interface Working extends Limited {
  activeMs: number
  usualMs: number | null
}

/** A place that comes free. */
interface End {
  at: number
  of: Limited
}

/**
 * When queued runs begin, epoch ms, if each takes as long as past ones of its kind did. Pure: plays the queue through. `order`: as they will be
 * begun. A run is missing from the answer where that cannot be told: after one whose time is unknown, nothing can.
 */
export function startTimes(order: readonly Coming[], atWork: readonly Working[], limits: QueueLimits, now: number): Map<string, number> {
  const starts = new Map<string, number>()
  const load = loadOf(atWork.map((it) => ({ ...it, count: 1 })))
  const ends: End[] = []
  for (const it of atWork) {
    if (it.usualMs === null) return starts
    // One that takes longer than usual may end at any moment.
    insert(ends, { at: now + Math.max(0, it.usualMs - it.activeMs), of: it })
  }
  const groups = alike(order)
  for (let at = now; ; ) {
    const next = firstAble(groups, (it) => limitInTheWay(it, load, limits) === null)
    if (next === null) {
      const end = ends.shift()
      if (end === undefined) return starts
      addLoad(load, end.of, -1)
      at = Math.max(at, end.at)
      continue
    }
    starts.set(next.run, at)
    if (next.usualMs === null) return starts
    addLoad(load, next)
    insert(ends, { at: at + next.usualMs, of: next })
  }
}

interface Numbered {
  run: Coming
  number: number
}

/** Runs that limits treat alike, the first at the end. */
function alike(order: readonly Coming[]): Numbered[][] {
  const numbered = order.map((run, number) => ({ run, number })).toReversed()
  return [...Map.groupBy(numbered, ({ run }) => JSON.stringify([run.project, run.role, run.provider, run.projectLimit])).values()]
}

function firstAble(groups: readonly Numbered[][], able: (run: Coming) => boolean): Coming | null {
  let first: Numbered[] | null = null
  for (const it of groups) {
    const head = it.at(-1)
    if (head !== undefined && able(head.run) && head.number < (first?.at(-1)?.number ?? Number.POSITIVE_INFINITY)) first = it
  }
  return first?.pop()?.run ?? null
}

/** Few are at work at the same time, so a list in order will do. */
function insert(ends: End[], end: End): void {
  const at = ends.findLastIndex((it) => it.at <= end.at)
  ends.splice(at + 1, 0, end)
}
