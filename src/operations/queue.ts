/** From a callback to a stream: what is pushed comes out in order, until `end`. */
export interface Queue<T> {
  push(item: T): void
  end(): void
  items(): AsyncGenerator<T>
}

const NOBODY = (): void => undefined

export function createQueue<T>(): Queue<T> {
  const waiting: T[] = []
  let ended = false
  let wake = NOBODY
  return {
    push(item) {
      waiting.push(item)
      wake()
    },
    end() {
      ended = true
      wake()
    },
    async *items() {
      for (;;) {
        while (waiting.length > 0) yield waiting.shift() as T
        if (ended) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
