import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { openStore } from '../../../src/store/open.ts'
import { askJson, type Server } from '../../support/server.ts'
import { type Figure, inTurns, shown } from '../measure.ts'
import { type Bare, rowWriter } from './bare.ts'
import { noteTask, type Place } from './project.ts'
import { rowsOf } from './stored.ts'

const SECONDS = 2
const ROUNDS = 3
const CONNECTIONS = 10

/** Requests per second of the server for a list, a run and a submitted run, each beside a bare server that gives the same bytes. */
export async function rates({ folder, home, project, server, run }: Place): Promise<Figure[]> {
  const store = await openStore(join(home, 'reeve/state'))
  // What is submitted here is never worked on.
  await store.queue.pauseQueue('*', 'paused', 'load')
  await store.close()
  const list = `/api/v1/runs?project=${encodeURIComponent(project)}`
  const show = `/api/v1/runs/${run}`
  const submitted = await askJson<{ runs: { id: string }[] }>(server, '/api/v1/runs', {
    method: 'POST',
    body: noteTask(project, 'pattern'),
  })
  const said = rowsOf(home, submitted.runs[0]?.id ?? '')
  const bare: Bare = {
    list: JSON.stringify(await askJson(server, list)),
    show: JSON.stringify(await askJson(server, show)),
    submitted: JSON.stringify(submitted),
    database: join(folder, 'bare.db'),
    ...said,
  }
  const other = await startBare(folder, bare)
  try {
    const figures = [
      await compared('a list of 20 runs', (it) => load(it, 'GET', list), server, other),
      await compared('a list of 20 runs of all projects', (it) => load(it, 'GET', '/api/v1/runs?all=true'), server, other),
      await compared(`a run with its steps (${Math.round(bare.show.length / 1024)} KB)`, (it) => load(it, 'GET', show), server, other),
    ]
    let number = 0
    const submit = (it: Where) => load(it, 'POST', '/api/v1/runs', () => noteTask(project, `n-${++number}`))
    figures.push(await compared('a submitted run', submit, server, other))
    return [...figures, bareWrite(folder, bare, figures.at(-1))]
  } finally {
    other.child.kill('SIGKILL')
  }
}

type Where = Pick<Server, 'url' | 'token'>

async function compared(name: string, measure: (it: Where) => Promise<number>, ours: Where, bare: Where): Promise<Figure> {
  const rate = await inTurns(
    ROUNDS,
    () => measure(ours),
    () => measure(bare),
  )
  return {
    name: `${name}, requests per second`,
    ours: shown(rate.ours),
    against: `bare hono, the same bytes: ${shown(rate.bare)}`,
    ratio: rate.bare / rate.ours,
  }
}

/** The submitted run again, against its rows written in a loop by themselves. */
function bareWrite(folder: string, bare: Bare, submit: Figure | undefined): Figure {
  const writer = rowWriter({ ...bare, database: join(folder, 'loop.db') })
  const until = performance.now() + SECONDS * 1000
  let written = 0
  for (; performance.now() < until; written++) writer.write()
  writer.close()
  const [rate, ours] = [written / SECONDS, Number(submit?.ours ?? Number.NaN)]
  return {
    name: 'a submitted run, requests per second',
    ours: shown(ours),
    against: `bare SQLite, the same rows: ${shown(rate)}`,
    ratio: rate / ours,
  }
}

/** Good answers per second. Throws when an answer was none, or not a good one. */
async function load({ url, token }: Where, method: 'GET' | 'POST', path: string, body?: () => unknown): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    duration: SECONDS,
    requests: [
      {
        method,
        path,
        headers,
        setupRequest: (it) => (body === undefined ? it : { ...it, body: JSON.stringify(body()) }),
      },
    ],
  })
  if (result.non2xx + result.errors + result.timeouts > 0)
    throw new Error(`${method} ${path}: ${result.non2xx} bad answers, ${result.errors} errors, ${result.timeouts} time-outs`)
  return result['2xx'] / result.duration
}

async function startBare(folder: string, bare: Bare): Promise<Where & { child: ChildProcess }> {
  const file = join(folder, 'bare.json')
  writeFileSync(file, JSON.stringify(bare))
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'bare.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (it: Buffer) => resolve(it.toString().trim()))
    child.once('exit', (code) => reject(new Error(`The bare server ended (${code}).`)))
  })
  return { child, url: `http://127.0.0.1:${port}`, token: '' }
}
