import { z } from 'zod'
import { secretValues } from '../config/secrets.ts'
import type { RunEvent } from '../core/event.ts'
import { isFinished } from '../core/run.ts'
import { optionsOf, type RunOptions } from '../steps/options.ts'
import type { Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'
import { runNamed } from './context.ts'
import { checkRun } from './isolation.ts'
import { mergeStreams } from './merge.ts'
import { stream } from './operation.ts'
import { queueLimits } from './queue-settings.ts'
import { type RunLog, runLog } from './run-log.ts'
import { runEventSchema, runInput } from './shapes.ts'
import { logPath } from './views.ts'

export const runsWork = stream({
  name: 'runs.work',
  route: 'POST /api/v1/runs/work',
  summary:
    'Gives the events of runs until each has ended or waits for a person. Where no daemon works on them, this process does; leaving then detaches them.',
  permission: 'runs:write',
  effect: 'write',
  input: z.object({
    runs: z.array(runInput).min(1).max(10_000),
    after: z.record(z.string(), z.int()).default({}).describe('Run -> number of the last event that is known.'),
  }),
  events: runEventSchema,
  async *handler(context, input, signal) {
    const store = await context.store()
    const asked: RunRow[] = []
    // One after the other: the first that is not there ends it.
    for (const it of new Set(input.runs)) asked.push(await runNamed(context, store, it))
    const rows = await withDependencies(store, asked)
    const shown = new Set(asked.map((it) => it.id))
    const options = rows.map(optionsOf)
    context.secrets.learn(options.flatMap((it) => secretValues(it.settings, context.env)))
    await context.secrets.learnFiles()
    for (const row of rows) if (!isFinished(row.state)) await checkRun(context, row)
    // Whoever comes back to a daemon that was started anew still has the keys that these came with.
    context.host.lend(asked.filter((it) => !isFinished(it.state) && optionsOf(it).actor === context.actor).map((it) => it.id))

    // Tails end when all is at rest; `stop` is pulled after the last event has been written.
    const stop = new AbortController()
    const leave = new AbortController()
    const ids = rows.map((it) => it.id)
    const logs = new Map<string, RunLog>()
    const work = context.host
      .work(ids, {
        concurrency: Math.max(...options.map((it) => it.settings.runs.max_concurrent)),
        limits: queueLimits((options.at(-1) as RunOptions).settings),
        signal: AbortSignal.any([signal, leave.signal]),
        onActivate: (id) => void logs.set(id, runLog(store, id, logPath(context, id))),
      })
      .finally(() => stop.abort())
    // Awaited below; until then its failure is nobody's surprise.
    work.catch(() => undefined)
    const tails = ids.map((run) =>
      tailToRest({ store, run, after: input.after[run] ?? 0, rest: stop.signal, log: () => logs.get(run) ?? null }),
    )
    try {
      for await (const event of mergeStreams(tails, () => stop.abort())) if (shown.has(event.run)) yield event
    } finally {
      leave.abort()
      await work
    }
  },
})

/** A run that waits for another one would wait for ever if nobody worked on that. Two processes at one run take turns by themselves. */
async function withDependencies(store: Store, asked: readonly RunRow[]): Promise<RunRow[]> {
  const all = new Map(asked.map((it) => [it.id, it]))
  for (const row of all.values()) {
    for (const id of row.reason === 'dependency' ? await store.dependenciesOf(row.id) : []) {
      const on = all.has(id) ? null : await store.getRun(id)
      if (on !== null && !isFinished(on.state)) all.set(id, on)
    }
  }
  return [...all.values()]
}

interface Tail {
  store: Store
  run: string
  after: number
  /** Aborted when no more events are to come. */
  rest: AbortSignal
  /** Where this process keeps the events of runs that it works on itself; null while it only looks on. */
  log: () => RunLog | null
}

/** Live events until `rest`, then what was written up to it. */
async function* tailToRest({ store, run, after, rest, log }: Tail): AsyncGenerator<RunEvent> {
  let last = after
  for await (const event of store.tail(run, after, rest)) {
    last = event.seq
    await log()?.write(event)
    yield event
  }
  for await (const event of store.allEvents(run, last)) {
    await log()?.write(event)
    yield event
  }
}
