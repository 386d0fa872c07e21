import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { RunEvent } from '../core/event.ts'
import { jsonText } from '../core/hostile-text.ts'
import { parseJson } from '../core/json.ts'
import type { Store } from '../store/open.ts'

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
    const text = await readFile(path, 'utf8').catch(() => '')
    // The process before this one died while it wrote a line.
    if (text !== '' && !text.endsWith('\n')) await appendFile(path, '\n')
    return lastSeq(text, path)
  }

  async function append(events: readonly RunEvent[]): Promise<void> {
    if (events.length > 0) await appendFile(path, events.map((it) => `${jsonText(it)}\n`).join(''), { mode: 0o600 })
  }

  return {
    async write(event) {
      last ??= await open()
      if (event.seq <= last) return
      const missing = event.seq > last + 1 ? await store.events(run, last, event.seq - last - 1) : []
      await append([...missing, event])
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
  for (const event of await store.events(run, last)) await log.write(event)
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
