import { appendFile, mkdir, open as openFile, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { RunEvent } from '../core/event.ts'
import { jsonText } from '../core/hostile-text.ts'
import { parseJson } from '../core/json.ts'
import type { Store } from '../store/open.ts'

const PAGE = 64
// The last event is in it nearly always.
const END_BYTES = 64 * 1024

/** The events of a run as lines of JSON in a file, for `tail -f` and for keeping. */
export interface RunLog {
  /** Appends an event, and before it those that the file lacks. */
  write(event: RunEvent): Promise<void>
}

/** Opened at the first event: a run may be worked on by several processes, one after the other, and each goes on where the file ends. */
export function runLog(store: Store, run: string, path: string): RunLog {
  let last: number | null = null

  async function open(): Promise<number> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const { seq, whole } = await endOf(path)
    // The process before this one died while it wrote a line.
    if (!whole) await appendFile(path, '\n')
    return seq
  }

  async function append(events: readonly RunEvent[]): Promise<void> {
    if (events.length > 0) await appendFile(path, events.map((it) => `${jsonText(it)}\n`).join(''), { mode: 0o600 })
  }

  return {
    async write(event) {
      last ??= await open()
      if (event.seq <= last) return
      while (event.seq > last + 1) {
        const missing = await store.events(run, last, Math.min(PAGE, event.seq - last - 1))
        if (missing.length === 0) break
        await append(missing)
        last = missing.at(-1)?.seq ?? last
      }
      await append([event])
      last = event.seq
    },
  }
}

/** Writes the events of a run as they come, until `over`; what was written up to then is among them. */
export async function keepLog(store: Store, run: string, path: string, over: AbortSignal): Promise<void> {
  const log = runLog(store, run, path)
  let last = 0
  for await (const event of store.tail(run, 0, over)) {
    last = event.seq
    await log.write(event)
  }
  for await (const event of store.allEvents(run, last)) await log.write(event)
}

// The store has the events; the file is for looking, and for `tail -f`.
const KEPT_MS = 90 * 86_400_000

/** Removes the logs of runs that nothing was written to for 90 days. One that goes on later gets a whole log again. */
export async function sweepLogs(folder: string, now: number): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((it) => it.endsWith('.ndjson'))) {
    const path = join(folder, name)
    const modified = (await stat(path).catch(() => null))?.mtimeMs ?? now
    if (now - modified > KEPT_MS) await rm(path, { force: true })
  }
}

/** Does so every day until the signal aborts. Never rejects. */
export async function sweepLogsDaily(folder: string, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sweepLogs(folder, clock.now()).catch(() => undefined) // a folder that cannot be read is nobody's log
    await clock.sleep(86_400_000, signal).catch(() => undefined)
  }
}

/** Number of the last event in the file, 0 where there is none; `whole`: it ends with a whole line. Reads from the end: a log may be long. */
async function endOf(path: string): Promise<{ seq: number; whole: boolean }> {
  const file = await openFile(path, 'r').catch(() => null)
  if (file === null) return { seq: 0, whole: true }
  try {
    const { size } = await file.stat()
    for (let bytes = Math.min(size, END_BYTES); ; bytes = Math.min(size, bytes * 4)) {
      const buffer = Buffer.alloc(bytes)
      await file.read(buffer, 0, bytes, size - bytes)
      const text = buffer.toString('utf8')
      // What is before the first line break is the end of a line.
      const seq = lastSeq(bytes === size ? text : text.slice(text.indexOf('\n') + 1), path)
      if (seq !== null || bytes === size) return { seq: seq ?? 0, whole: text === '' || text.endsWith('\n') }
    }
  } finally {
    await file.close()
  }
}

function lastSeq(text: string, path: string): number | null {
  for (const line of text.split('\n').toReversed()) {
    if (line === '') continue
    try {
      return (parseJson(line, path) as unknown as RunEvent).seq
    } catch {
      // Half a line; the one before it is whole.
    }
  }
  return null
}
