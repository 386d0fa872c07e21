import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { StreamName, Transport } from './client.ts'
import { readEvents, type ServerEvent } from './events.ts'
import { createLine, errorFrom, type Line, type RemoteOptions } from './line.ts'
import { requestFor, routeOf } from './request.ts'
import type { Route } from './routes.ts'

/** How often a stream that was cut is opened again without an event in between, and how long it waits before. */
const CUTS = [50, 200, 1000, 2000, 5000] as const

/** The operations of a daemon, over its socket or over TCP. Loads nothing heavy: commands stand on it. */
export function remoteTransport(options: RemoteOptions): Transport {
  const line = createLine(options)
  return {
    async invoke(name, input, signal) {
      const route = routeOf(name)
      // A daemon that dies in the middle makes no second run of a request that it gets again.
      const keyed = name === 'runs.submit' ? withKey(input as { key?: string }) : input
      const again = name === 'runs.submit' || route.method === 'GET'
      try {
        return await line.json(requestFor(route, keyed), signal, again)
      } catch (error) {
        throw signal.aborted ? error : broken(error)
      }
    },
    open: (name, input, signal) => resumed(line, name, input, signal),
    close: async () => line.close(),
  }
}

/** A program may say that it has no key. */
function withKey(input: { key?: string }): object {
  return { ...input, key: input.key ?? randomUUID() }
}

/** The events of a stream; one that was cut is opened again behind the last event that came. */
async function* resumed(line: Line, name: StreamName, input: unknown, signal: AbortSignal): AsyncGenerator {
  const route = routeOf(name)
  let from = { input, id: null as string | null }
  for (let cuts = 0; ; ) {
    try {
      const wanted = requestFor(route, from.input)
      const headers = { ...wanted.headers, accept: 'text/event-stream', ...(from.id === null ? {} : { 'last-event-id': from.id }) }
      const answer = await line.send({ ...wanted, headers }, signal)
      for await (const event of readEvents(answer)) {
        if (event.type === 'end') return
        if (event.type === 'error') throw errorFrom(JSON.parse(event.data))
        cuts = 0
        const value: unknown = JSON.parse(event.data)
        from = behind(route, from, event, value)
        yield value
      }
      throw new Error('the stream was cut')
    } catch (error) {
      if (signal.aborted) return
      const pause = CUTS[cuts++]
      if (error instanceof ReeveError || route.resume === null || pause === undefined) throw broken(error)
      line.lose(error as Error)
      // Who leaves meanwhile need not wait: the next try ends at once.
      await sleep(pause, undefined, { signal }).catch(() => undefined)
    }
  }
}

function behind(route: Route, from: { input: unknown; id: string | null }, event: ServerEvent, value: unknown): typeof from {
  if (route.resume === 'id') return { ...from, id: event.id ?? from.id }
  if (route.resume !== 'runs') return from
  const { run, seq } = value as { run: string; seq: number }
  const input = from.input as { after?: Record<string, number> }
  return { input: { ...input, after: { ...input.after, [run]: seq } }, id: null }
}

function broken(error: unknown): unknown {
  if (error instanceof ReeveError) return error
  return new ReeveError('daemon_lost', { problem: problemOf(error) }, { cause: error })
}
