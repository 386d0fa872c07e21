import { readFile } from 'node:fs/promises'
import { createTicker, type Ticker } from './ticker.ts'

/** A fork bomb makes thousands in a tenth of a second; a small file tells how many processes the machine has. */
const LOOK_MS = 20
const sharedTicker = createTicker(LOOK_MS)

/** Calls `look` when the machine has got more than `most` more processes since it was last asked. For where no control group counts them. */
export function watchCrowd(most: number, look: () => Promise<void>, ticker: Ticker = sharedTicker): () => void {
  let before: number | null = null
  return ticker.add(async () => {
    const now = await allProcesses()
    if (before === null) before = now
    if (now - before <= most) return
    before = now
    await look()
  })
}

/** Of the whole machine, threads included: `0.00 0.01 0.05 1/123 4567`. */
async function allProcesses(): Promise<number> {
  const text = await readFile('/proc/loadavg', 'latin1').catch(() => '')
  return Number(/\/(\d+) /.exec(text)?.[1] ?? 0)
}
