import type { RunEvent } from '../../../src/core/event.ts'
import { askJson, readEvents, type Server } from '../../support/server.ts'
import { type Figure, shown } from '../measure.ts'
import { noteTask } from './project.ts'

const RUNS = 20
const CLIENTS = 200

/**
 * 200 readers of events on 20 runs at work, ten on each from its first event: how long after it was written an event is there. Throws when one
 * of them misses an event, gets one twice or out of order.
 */
export async function liveEvents(project: string, server: Server): Promise<Figure[]> {
  const ids = await Promise.all(Array.from({ length: RUNS }, (_, at) => submit(project, server, `live-${at}`)))
  const late: number[] = []
  const readers = Array.from({ length: CLIENTS }, (_, at) => read(server, ids[at % RUNS] ?? '', late))
  const seen = await Promise.all(readers)
  for (const id of ids) {
    const whole = seen.filter((it) => it.run === id).map((it) => it.seqs)
    const { status, message } = await askJson<{ status: string; message: string }>(server, `/api/v1/runs/${id}`)
    if (status !== 'succeeded') throw new Error(`Run ${id} is ${status}: ${message}`)
    const [first = []] = whole
    if (first.some((seq, at) => seq !== at + 1)) throw new Error(`A reader of ${id} saw ${first.join(', ')}.`)
    if (whole.some((it) => it.join() !== first.join())) throw new Error(`Readers of ${id} saw different events.`)
  }
  const sorted = late.toSorted((a, b) => a - b)
  const [p50, p99] = [at(sorted, 0.5), at(sorted, 0.99)]
  return [
    {
      name: `from commit to client, ${CLIENTS} readers of ${RUNS} runs at work, ${sorted.length} events, none missing or out of order: p99`,
      ours: `${shown(p99)} ms`,
      against: `its p50: ${shown(p50)} ms`,
      ratio: p99 / p50,
    },
  ]
}

async function submit(project: string, server: Server, id: string): Promise<string> {
  const body = noteTask(project, id)
  const { runs } = await askJson<{ runs: { id: string }[] }>(server, '/api/v1/runs', { method: 'POST', body })
  return runs[0]?.id ?? ''
}

async function read(server: Server, run: string, late: number[]): Promise<{ run: string; seqs: number[] }> {
  const seqs: number[] = []
  const begun = Date.now()
  const ended = await readEvents<RunEvent>(server, `/api/v1/runs/${run}/events?follow=true`, {
    onEvent: ({ event }) => {
      seqs.push(event.seq)
      // What was there before this reader came is no news.
      if (event.ts >= begun) late.push(Date.now() - event.ts)
    },
  })
  if (!ended) throw new Error(`The events of ${run} were cut.`)
  return { run, seqs }
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
