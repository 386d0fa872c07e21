/**
 * Items of several streams as they come. Ends when all have ended; the first failure, or a caller who leaves, calls `stop` and closes the
 * others. `stop` must make streams end that wait for their next item: a generator cannot be closed while it waits. An item costs the same
 * however many streams there are: a race of all of them for each item would leave something behind at each of those that are silent.
 */
export async function* mergeStreams<T>(streams: readonly AsyncIterable<T>[], stop: () => void): AsyncGenerator<T> {
  const iterators = streams.map((it) => it[Symbol.asyncIterator]())
  const there: Next<T>[] = []
  let wake = () => {}
  let open = iterators.length

  async function ask(iterator: AsyncIterator<T>): Promise<void> {
    there.push(
      await iterator.next().then(
        (result) => ({ iterator, result }),
        (error: unknown) => ({ error }),
      ),
    )
    wake()
  }

  try {
    for (const it of iterators) void ask(it)
    while (open > 0) {
      const next = there.shift()
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      if ('error' in next) throw next.error
      if (next.result.done) {
        open -= 1
        continue
      }
      void ask(next.iterator)
      yield next.result.value
    }
  } finally {
    stop()
    await Promise.allSettled(iterators.map((it) => it.return?.() ?? Promise.resolve()))
  }
}

/** What a stream has given, or why it gives nothing. */
type Next<T> = { iterator: AsyncIterator<T>; result: IteratorResult<T> } | { error: unknown }
