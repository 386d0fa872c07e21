/** First come, first served. */
export interface Line {
  /** Resolves when it is one's turn, with what lets the next one come; rejects with the signal's reason, and the next one comes all the same. */
  stand(signal: AbortSignal): Promise<() => void>
}

export function createLine(): Line {
  let last: Promise<void> = Promise.resolve()
  return {
    async stand(signal) {
      const before = last
      const mine = Promise.withResolvers<void>()
      last = before.then(() => mine.promise)
      try {
        await orAborted(before, signal)
      } catch (error) {
        mine.resolve()
        throw error
      }
      return () => mine.resolve()
    },
  }
}

async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
