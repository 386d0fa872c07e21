/** What one side puts in comes out at the other in order, until it fails: then whoever waits is told, after all that came before. */
export interface Mailbox<T> {
  put(item: T): void
  fail(error: Error): void
  next(): Promise<T>
}

const NOBODY = (): void => undefined

export function createMailbox<T>(): Mailbox<T> {
  const waiting: T[] = []
  let failed: Error | null = null
  let wake = NOBODY
  return {
    put(item) {
      waiting.push(item)
      wake()
    },
    fail(error) {
      failed ??= error
      wake()
    },
    async next() {
      while (waiting.length === 0) {
        if (failed !== null) throw failed
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return waiting.shift() as T
    },
  }
}
