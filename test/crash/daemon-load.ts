import type { RunEvent } from '../../src/core/event.ts'
import { ask, askJson, readEvents, readPlace, type Sent } from '../support/server.ts'

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const isOver = (signal: AbortSignal | undefined) => signal?.aborted === true

/** Clients of a server that is killed and started again: they find it by its file each time, and know nothing of its deaths. */
export interface Load {
  /** Key of each submission -> ids of the runs that were answered to it. */
  readonly answered: Map<string, Set<string>>
  /** Run -> numbers of its events, as its reader saw them. */
  readonly seen: Map<string, number[]>
  /** Positions and `run/number` of the events of all runs, as one reader saw them. */
  readonly all: { position: number; event: string }[]
  /** How often a reader was cut and came back. */
  cuts(): number
  finishedSteps(): number
  /** Ends the submitting; resolves when all runs that were submitted have been seen to their end. */
  finish(): Promise<void>
  /** Ends the reader of all runs. */
  leave(): Promise<void>
}

interface LoadOptions {
  home: string
  /** What client `client` posts for its submission `key`. */
  body: (key: string) => object
  clients: number
  /** Runs that one client has open at the same time. */
  open: number
}

export function startLoad({ home, body, clients, open }: LoadOptions): Load {
  const answered = new Map<string, Set<string>>()
  const seen = new Map<string, number[]>()
  const all: Load['all'] = []
  const readers: Promise<void>[] = []
  const leaving = new AbortController()
  const enough = new AbortController()
  let cuts = 0
  let steps = 0

  /** Tries until it is answered, as a client does that must not lose its task. Every third asks again although it was answered. */
  async function submit(client: number, number: number): Promise<string> {
    const key = `c${client}-${number}`
    const ids = new Set<string>()
    answered.set(key, ids)
    // Half of them give the key in the header, half in the body.
    const how = client % 2 === 0 ? { body: body(key), headers: { 'Idempotency-Key': key } } : { body: { ...body(key), key } }
    for (let wanted = number % 3 === 0 ? 2 : 1; wanted > 0; ) {
      const place = readPlace(home)
      const answer = place === null ? null : await ask(place, '/api/v1/runs', { method: 'POST', ...how }).catch(() => null)
      if (answer === null || answer.status >= 500) {
        await pause(30)
        continue
      }
      if (answer.status >= 300) throw new Error(`The submission ${key} gave ${answer.status}: ${answer.text}`)
      for (const { id } of (JSON.parse(answer.text) as { runs: { id: string }[] }).runs) ids.add(id)
      wanted -= 1
    }
    return [...ids][0] ?? ''
  }

  /** Reads to the end that is said, from where it was when it was cut. */
  async function follow<E>(path: string, onEvent: (it: Sent<E>) => void, signal?: AbortSignal): Promise<void> {
    let after: string | undefined
    while (!isOver(signal)) {
      const place = readPlace(home)
      const take = (it: Sent<E>): void => {
        after = it.id
        onEvent(it)
      }
      const ended =
        place !== null && (await readEvents<E>(place, path, { after, onEvent: take, ...(signal && { signal }) }).catch(() => false))
      if (ended) return
      cuts += 1
      await pause(30)
    }
  }

  function read(run: string): Promise<void> {
    const seqs: number[] = []
    seen.set(run, seqs)
    return follow<RunEvent>(`/api/v1/runs/${run}/events?follow=true`, ({ event }) => {
      seqs.push(event.seq)
      if (event.type === 'step.finished') steps += 1
    })
  }

  async function submitter(client: number): Promise<void> {
    const mine = new Set<Promise<void>>()
    for (let number = 0; !isOver(enough.signal); number++) {
      const run = await submit(client, number)
      const reader = read(run).finally(() => mine.delete(reader))
      readers.push(reader)
      mine.add(reader)
      while (!isOver(enough.signal) && mine.size >= open) await Promise.race([...mine, pause(100)])
    }
  }

  const submitters = Array.from({ length: clients }, (_, client) => submitter(client))
  const watcher = follow<RunEvent & { position: number }>(
    '/api/v1/events?all=true&follow=true&after=0',
    ({ event }) => void all.push({ position: event.position, event: `${event.run}/${event.seq}` }),
    leaving.signal,
  )
  return {
    answered,
    seen,
    all,
    cuts: () => cuts,
    finishedSteps: () => steps,
    async finish() {
      enough.abort()
      await Promise.all(submitters)
      await Promise.all(readers)
    },
    async leave() {
      // What was written last is on its way.
      const written = [...seen.values()].reduce((sum, it) => sum + it.length, 0)
      const until = performance.now() + 10_000
      while (all.length < written && performance.now() < until) await pause(20)
      leaving.abort()
      await watcher
    },
  }
}

/** All runs that the server knows, the oldest first. */
export async function allRuns(home: string): Promise<{ id: string; status: string; message: string | null; task: { id: string } }[]> {
  const place = readPlace(home)
  if (place === null) throw new Error('There is no server.')
  const { runs } = await askJson<{ runs: Awaited<ReturnType<typeof allRuns>> }>(place, '/api/v1/runs?all=true&limit=1000')
  return runs.toReversed()
}
