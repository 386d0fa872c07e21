import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { askJson, readEvents, type Server, startServer } from '../support/server.ts'
import type { Figure } from './measure.ts'
import { liveEvents } from './server/events.ts'
import { memory } from './server/memory.ts'
import { loadProject, noteTask, type Place } from './server/project.ts'
import { rates } from './server/rates.ts'
import { copyRun } from './server/stored.ts'
import { throughput } from './server/throughput.ts'

// Its own limits are not what is measured.
const OPEN = { REEVE_DAEMON__REQUESTS_PER_MINUTE: '100000000' }

interface Part {
  /** Runs at work at once, where the usual number is not enough. */
  atOnce?: number
  measure: (place: Place) => Promise<Figure[]>
}

const PARTS: Readonly<Record<string, Part>> = {
  'server-rates': { measure: (it) => rates(it) },
  'server-events': {
    atOnce: 20,
    measure: ({ folder, server }) =>
      liveEvents(loadProject({ outside: join(folder, 'looks'), more: { turns: 40, delay: '200ms' } }), server),
  },
  'server-memory': { measure: ({ home, server, run }) => memory(home, server, run) },
  'server-runs': { measure: ({ folder, project, server }) => throughput(folder, project, server) },
}

/** The daemon as a process under load, each part with a data folder of its own. `wanted`: names of parts, or pieces of them; none: all. */
export async function serverUnderLoad(folder: string, wanted: readonly string[], tell: (it: Figure) => void): Promise<Figure[]> {
  const all: Figure[] = []
  for (const [name, part] of Object.entries(PARTS)) {
    if (wanted.length > 0 && !wanted.some((it) => name.includes(it))) continue
    const place = join(folder, name)
    mkdirSync(place)
    for (const figure of await measured(place, part)) {
      all.push(figure)
      tell(figure)
    }
  }
  return all
}

async function measured(folder: string, { atOnce, measure }: Part): Promise<Figure[]> {
  const home = join(folder, 'home')
  const project = loadProject({ outside: join(folder, 'project') })
  // Such as REEVE_PERF_NODE="--cpu-prof --cpu-prof-dir=/somewhere", for a profile of the server.
  const node = (process.env['REEVE_PERF_NODE'] ?? '').split(' ').filter((it) => it !== '')
  const env = { ...OPEN, ...(atOnce === undefined ? {} : { REEVE_QUEUE__MAX_CONCURRENT: String(atOnce) }) }
  const server = await startServer(home, { env, node })
  try {
    const run = await pattern(project, server)
    copyRun(home, run, { copies: 100 })
    return await measure({ folder, home, project, server, run })
  } catch (error) {
    console.error(server.said())
    throw error
  } finally {
    await server.stop()
  }
}

/** A first run, which has ended well. */
async function pattern(project: string, server: Server): Promise<string> {
  const { runs } = await askJson<{ runs: { id: string }[] }>(server, '/api/v1/runs', { method: 'POST', body: noteTask(project, 'first') })
  const id = runs[0]?.id ?? ''
  await readEvents(server, `/api/v1/runs/${id}/events?follow=true`, { onEvent: () => undefined })
  const { status, message } = await askJson<{ status: string; message: string }>(server, `/api/v1/runs/${id}`)
  if (status !== 'succeeded') throw new Error(`The first run is ${status}: ${message}`)
  return id
}
