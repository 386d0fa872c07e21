/**
 * Items of several streams as they come. Ends when all have ended; the first failure, or a caller who leaves, calls `stop` and closes the
 * others. `stop` must make streams end that wait for their next item: a generator cannot be closed while it waits.
 */
export async function* mergeStreams<T>(streams: readonly AsyncIterable<T>[], stop: () => void): AsyncGenerator<T> {
  const iterators = streams.map((it) => it[Symbol.asyncIterator]())
  const waiting = new Map(iterators.map((it) => [it, nextOf(it)]))
  try {
    while (waiting.size > 0) {
      const { iterator, result } = await Promise.race(waiting.values())
      if (result.done) waiting.delete(iterator)
      else {
        waiting.set(iterator, nextOf(iterator))
        yield result.value
      }
    }
  } finally {
    stop()
    await Promise.allSettled(iterators.map((it) => it.return?.() ?? Promise.resolve()))
  }
}

async function nextOf<T>(iterator: AsyncIterator<T>): Promise<{ iterator: AsyncIterator<T>; result: IteratorResult<T> }> {
  return { iterator, result: await iterator.next() }
}
