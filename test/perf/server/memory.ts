import type { RunEvent } from '../../../src/core/event.ts'
import { ask, readEvents, type Server, weighProcess } from '../../support/server.ts'
import { type Figure, shown } from '../measure.ts'
import { copyRun } from './stored.ts'

const EVENTS = 1_000_000
const LONG = 50_000
const RUNS = 1000

/** What the server holds in memory after it was asked for lists, runs and whole tails over a million events, against the same with one run. */
export async function memory(home: string, server: Server, run: string): Promise<Figure[]> {
  const pid = server.child.pid ?? 0
  await look(server, [run], run, 300)
  const before = weighProcess(pid).rssMb
  const [long = ''] = copyRun(home, run, { copies: 1, events: LONG })
  const runs = copyRun(home, run, { copies: RUNS, events: (EVENTS - LONG) / RUNS })
  await look(server, runs, long, 300)
  const after = weighProcess(pid).rssMb
  return [
    {
      name: `memory after lists, runs and tails over ${EVENTS.toLocaleString('en')} events (${RUNS} runs, one with ${LONG.toLocaleString('en')})`,
      ours: `${shown(after)} MB`,
      against: `the same with one run: ${shown(before)} MB`,
      ratio: after / before,
    },
  ]
}

/** Lists, runs and whole tails, some at the same time; the long one last, twice at once. */
async function look(server: Server, runs: readonly string[], long: string, times: number): Promise<void> {
  const paths = Array.from({ length: times }, (_, at) => {
    const run = runs[(at * 7) % runs.length] ?? ''
    return [`/api/v1/runs?all=true&limit=100`, `/api/v1/runs/${run}`, `/api/v1/runs/${run}/events`][at % 3] ?? ''
  })
  for (let at = 0; at < paths.length; at += 6) {
    await Promise.all(paths.slice(at, at + 6).map((path) => (path.endsWith('/events') ? tail(server, path) : good(server, path))))
  }
  await Promise.all([1, 2].map(() => tail(server, `/api/v1/runs/${long}/events`)))
  await good(server, `/api/v1/runs/${long}`)
}

async function good(server: Server, path: string): Promise<void> {
  const { status, text } = await ask(server, path)
  if (status !== 200) throw new Error(`${path} gave ${status}: ${text.slice(0, 300)}`)
}

async function tail(server: Server, path: string): Promise<void> {
  let seq = 0
  const ended = await readEvents<RunEvent>(server, path, {
    onEvent: ({ event }) => {
      if (event.seq !== seq + 1) throw new Error(`${path}: ${event.seq} after ${seq}`)
      seq = event.seq
    },
  })
  if (!ended) throw new Error(`${path} was cut after ${seq} events.`)
}
