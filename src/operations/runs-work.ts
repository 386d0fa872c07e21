import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { secretValues } from '../config/secrets.ts'
import type { RunEvent } from '../core/event.ts'
import { parseJson } from '../core/json.ts'
import { optionsOf } from '../steps/options.ts'
import type { Store } from '../store/open.ts'
import type { Context } from './context.ts'
import { mergeStreams } from './merge.ts'
import { stream } from './operation.ts'
import { runEventSchema, runInput } from './shapes.ts'
import { logPath } from './views.ts'

export const runsWork = stream({
  name: 'runs.work',
  summary: 'Works on runs in this process and gives their events, until each has ended or waits for a person. Leaving detaches them.',
  permission: 'runs:write',
  effect: 'write',
  input: z.object({
    runs: z.array(runInput).min(1),
    after: z.record(z.string(), z.int()).default({}).describe('Run -> number of the last event that is known.'),
  }),
  events: runEventSchema,
  async *handler(context, input, signal) {
    const store = await context.store()
    const rows = await Promise.all(input.runs.map((it) => store.findRun(it)))
    const options = rows.map(optionsOf)
    context.secrets.learn(options.flatMap((it) => secretValues(it.settings, context.env)))

    // Tails end when all is at rest; `stop` is pulled after the last event has been written.
    const stop = new AbortController()
    const concurrency = Math.max(...options.map((it) => it.settings.runs.max_concurrent))
    const ids = rows.map((it) => it.id)
    const leave = new AbortController()
    const work = context.host.work(ids, { concurrency, signal: AbortSignal.any([signal, leave.signal]) }).finally(() => stop.abort())
    // Awaited below; until then its failure is nobody's surprise.
    work.catch(() => undefined)
    const tails = ids.map((id) => tailToRest(context, store, id, input.after[id] ?? 0, stop.signal))
    try {
      yield* mergeStreams(tails, () => stop.abort())
    } finally {
      leave.abort()
      await work
    }
  },
})

/** Live events until `rest`, then what was written up to it; each also goes to the run's log file. */
async function* tailToRest(context: Context, store: Store, run: string, after: number, rest: AbortSignal): AsyncGenerator<RunEvent> {
  const log = await openLog(logPath(context, run))
  let last = after
  for await (const event of store.tail(run, after, rest)) {
    last = event.seq
    await log(event)
    yield event
  }
  for (const event of await store.events(run, last)) {
    await log(event)
    yield event
  }
}

/** Appends events the file does not hold yet: a run may be worked on by several processes, one after the other. */
async function openLog(path: string): Promise<(event: RunEvent) => Promise<void>> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const text = await readFile(path, 'utf8').catch(() => '')
  let last = lastSeq(text, path)
  // The process before this one died while it wrote a line.
  if (text !== '' && !text.endsWith('\n')) await appendFile(path, '\n')
  return async (event) => {
    if (event.seq <= last) return
    last = event.seq
    await appendFile(path, `${JSON.stringify(event)}\n`, { mode: 0o600 })
  }
}

function lastSeq(text: string, path: string): number {
  for (const line of text.split('\n').toReversed()) {
    if (line === '') continue
    try {
      return (parseJson(line, path) as unknown as RunEvent).seq
    } catch {
      // Half a line; the one before it is whole.
    }
  }
  return 0
}
