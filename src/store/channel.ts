import type { Hub, Scope } from './hub.ts'

/** One thing that is followed, with its number and about how many bytes it holds. */
export interface Numbered<T> {
  item: T
  number: number
  size: number
}

/**
 * What many readers follow. What is new is read once for all of them and the last of it kept at hand, so that a reader costs one look at
 * memory per item. A slow reader finds that its next item is not at hand any more, and reads from the store at its own pace.
 */
export interface Channel<T> {
  /** The first item after a number; null: nothing yet; `behind`: not at hand any more. */
  next(after: number): Numbered<T> | 'behind' | null
  /** Everything up to this number is not at hand. */
  floor(): number
  /** True when nothing will follow what `next` gives. */
  ended(): boolean
  /** Resolves when there may be more, or at `wake` of the reader. */
  more(reader: Reader): Promise<void>
  join(): Reader
}

/** One who follows. Leaves when it is done: the channel of the last one is let go. */
export interface Reader {
  wake(): void
  woken(): Promise<void>
  leave(): void
}

export interface Source<T> {
  hub: Hub
  scope: Scope
  /** What follows this number comes through the channel. */
  head: number
  /** The items after a number, oldest first, `limit` at most. `over`: nothing comes after them. */
  read(after: number, limit: number): Promise<{ items: readonly Numbered<T>[]; over: boolean }>
  /** Nobody follows any more. */
  onEmpty(): void
}

const PAGE = 256
// Kept for readers that are a little late.
const MOST_ITEMS = 512
const MOST_BYTES = 1024 * 1024

export function createChannel<T>(source: Source<T>): Channel<T> {
  const readers = new Set<Reader>()
  let kept: Numbered<T>[] = []
  let bytes = 0
  let floor = source.head
  let head = source.head
  // Something may have come between `head` and the first look.
  let dirty = true
  let over = false
  let reading: Promise<void> | null = null
  const stop = source.hub.listen(source.scope, () => {
    dirty = true
    for (const reader of readers) reader.wake()
  })

  function keep(items: readonly Numbered<T>[]): void {
    kept.push(...items)
    for (const it of items) bytes += it.size
    let drop = 0
    for (; drop < kept.length && (kept.length - drop > MOST_ITEMS || bytes > MOST_BYTES); drop++) bytes -= kept[drop]?.size ?? 0
    floor = kept[drop - 1]?.number ?? floor
    kept = kept.slice(drop)
    head = items.at(-1)?.number ?? head
  }

  async function read(): Promise<void> {
    dirty = false
    try {
      const page = await source.read(head, PAGE)
      keep(page.items)
      if (page.items.length === PAGE) dirty = true
      else over = page.over
    } catch (error) {
      dirty = true
      throw error
    }
  }

  return {
    next(after) {
      if (after < floor) return 'behind'
      return kept[firstAfter(kept, after)] ?? null
    },
    floor: () => floor,
    ended: () => over && !dirty,
    async more(reader) {
      // One look is for all: who comes while it is being taken waits for it too.
      if (!dirty && reading === null) return reader.woken()
      reading ??= read().finally(() => {
        reading = null
      })
      await reading
    },
    join() {
      const reader = createReader(() => {
        readers.delete(reader)
        if (readers.size > 0) return
        stop()
        source.onEmpty()
      })
      readers.add(reader)
      return reader
    },
  }
}

function createReader(onLeave: () => void): Reader {
  let wake: (() => void) | null = null
  let called = false
  return {
    wake() {
      called = true
      wake?.()
    },
    async woken() {
      if (!called) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      wake = null
      called = false
    },
    leave: onLeave,
  }
}

/** Index of the first item with a higher number. */
function firstAfter(items: readonly Numbered<unknown>[], after: number): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((items[middle]?.number ?? 0) <= after) low = middle + 1
    else high = middle
  }
  return low
}

export interface Following<T> {
  channel: Channel<T>
  after: number
  signal: AbortSignal
  /** Items between two numbers, as many as one look gives; `last`: everything up to it has been looked at. */
  catchUp: (after: number, upTo: number) => Promise<{ items: readonly T[]; last: number }>
  /** Absent: all. */
  wants?: (item: T) => boolean
}

/** All items after a number, in order, each once, until the channel ends or the signal aborts. */
export async function* follow<T>({ channel, after, signal, catchUp, wants = () => true }: Following<T>): AsyncGenerator<T> {
  const reader = channel.join()
  const wake = () => reader.wake()
  signal.addEventListener('abort', wake)
  let last = after
  try {
    while (!signal.aborted) {
      const next = channel.next(last)
      if (next === 'behind') {
        const page = await catchUp(last, channel.floor())
        for (const item of page.items) {
          if (signal.aborted) return
          yield item
        }
        last = page.last
      } else if (next !== null) {
        last = next.number
        if (wants(next.item)) yield next.item
      } else {
        if (channel.ended()) return
        await channel.more(reader)
      }
    }
  } finally {
    signal.removeEventListener('abort', wake)
    reader.leave()
  }
}
