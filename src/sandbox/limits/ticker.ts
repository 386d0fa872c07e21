/** Lets looks happen again and again, none of them twice at once. */
export interface Ticker {
  /** `look` must not throw. Returns what ends it. */
  add(look: () => Promise<void>): () => void
}

/** Often enough to stop a program at a fifth above its memory limit, seldom enough to cost under one percent of a processor. */
const TICK_MS = 100
/** A look that takes long, at very many processes, comes less often: it may take a tenth of the time. */
const REST = 10

interface Look {
  act: () => Promise<void>
  busy: boolean
  /** Not before then. */
  next: number
}

/** One timer for all; it runs while there is something to look at. */
export function createTicker(tickMs: number = TICK_MS): Ticker {
  const looks = new Set<Look>()
  let timer: NodeJS.Timeout | null = null

  async function lookNow(look: Look): Promise<void> {
    if (look.busy || performance.now() < look.next) return
    look.busy = true
    const began = performance.now()
    await look.act()
    const took = performance.now() - began
    look.next = began + took * REST
    look.busy = false
  }

  return {
    add(act) {
      const look = { act, busy: false, next: 0 }
      looks.add(look)
      timer ??= setInterval(() => {
        for (const it of looks) void lookNow(it)
      }, tickMs).unref()
      return () => {
        looks.delete(look)
        if (looks.size > 0 || timer === null) return
        clearInterval(timer)
        timer = null
      }
    },
  }
}

/** The one of this process. */
export const sharedTicker = createTicker()
