/**
 * A daemon that is used for a long time: clients submit, look on, cancel, approve, pause, resume and restart, and clean up after themselves. Prints
 * its memory and open files now and then. Ends with 1 where a run ended as it must not, or files were left open.
 * Run: node test/perf/soak.ts            ten minutes
 *      node test/perf/soak.ts 2          so many minutes
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask, askJson, readEvents, type Server, startServer, weighProcess } from '../support/server.ts'
import { loadProject, noteTask } from './server/project.ts'

const MINUTES = Number(process.argv[2] ?? 10)
const CLIENTS = 4
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

type View = { id: string; status: string; reason: string | null; message: string | null }
const ended = (it: View) => ['succeeded', 'failed', 'cancelled'].includes(it.status)
const done = new Map<string, number>()
const wrong: string[] = []

function count(what: string): void {
  done.set(what, (done.get(what) ?? 0) + 1)
}

/** A wish that may come too late: the run may have ended. */
async function wish(server: Server, run: string, what: string, body: object = {}): Promise<void> {
  const { status, text } = await ask(server, `/api/v1/runs/${run}/${what}`, { method: 'POST', body })
  if (status >= 500) wrong.push(`${what} gave ${status}: ${text.slice(0, 200)}`)
  count(status < 300 ? what : `${what} (too late)`)
}

/** One run and what a person does with it, chosen by its number. */
async function live(server: Server, project: string, id: string, number: number): Promise<void> {
  const asks = number % 3 === 0
  const body = { ...noteTask(project, id), ...(asks ? { autonomy: 'supervised', land: 'branch' } : {}) }
  const { runs } = await askJson<{ runs: View[] }>(server, '/api/v1/runs', { method: 'POST', body })
  const run = runs[0]?.id ?? ''
  count('submitted')
  const leaving = new AbortController()
  const reader = readEvents(server, `/api/v1/runs/${run}/events?follow=true`, { signal: leaving.signal, onEvent: () => undefined })
  if (number % 7 === 1) void pause(400).then(() => wish(server, run, 'cancel'))
  if (number % 7 === 2) void pause(300).then(() => wish(server, run, 'messages', { text: 'Be brief.' }))
  if (number % 7 === 3) await wish(server, run, 'pause')
  if (number % 11 === 4) void pause(500).then(() => wish(server, run, 'restart'))
  for (let view = await get(server, run); !ended(view); view = await get(server, run)) {
    if (view.reason === 'approval') await wish(server, run, number % 2 === 0 ? 'approve' : 'reject', { comment: 'seen' })
    if (view.reason === 'paused') await ask(server, '/api/v1/runs/resume', { method: 'POST', body: { run } })
    await pause(250)
  }
  leaving.abort()
  await reader
  const view = await get(server, run)
  count(view.status)
  const meant = view.status !== 'failed' || (asks && view.reason === 'gates')
  if (!meant) wrong.push(`${run} ${view.status} (${view.reason}): ${view.message}`)
}

function get(server: Server, run: string): Promise<View> {
  return askJson<View>(server, `/api/v1/runs/${run}`)
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'reeve-soak-')))
const project = loadProject({ outside: join(folder, 'project') })
const server = await startServer(join(folder, 'home'), { env: { REEVE_DAEMON__REQUESTS_PER_MINUTE: '1000000' } })
const pid = server.child.pid ?? 0
const until = performance.now() + MINUTES * 60_000
const files: number[] = []

async function client(name: number): Promise<void> {
  for (let number = 0; performance.now() < until; number++) await live(server, project, `c${name}-${number}`, number)
}

async function watch(): Promise<void> {
  for (let at = 0; performance.now() < until; at += 30) {
    const weight = weighProcess(pid)
    files.push(weight.files)
    console.log(`${at} s: ${Math.round(weight.rssMb)} MB, ${weight.files} files open, ${done.get('submitted') ?? 0} submitted`)
    if (at % 120 === 90) void ask(server, '/api/v1/runs/clean', { method: 'POST', body: { project, all: true } }).then(() => count('clean'))
    await pause(Math.min(30_000, Math.max(0, until - performance.now())))
  }
}

try {
  await Promise.all([watch(), ...Array.from({ length: CLIENTS }, (_, at) => client(at))])
  await pause(2000)
  const last = weighProcess(pid)
  console.log(`at rest: ${Math.round(last.rssMb)} MB, ${last.files} files open`)
  console.log([...done].map(([what, times]) => `${what} ${times}`).join(', '))
  for (const it of wrong) console.log(it)
  const exit = await server.stop()
  console.log(`ended with ${exit}`)
  // Connections of the clients, files of runs at work; what grows with time is a leak.
  process.exitCode = wrong.length > 0 || exit !== 0 || last.files > (files[0] ?? 0) + 40 ? 1 : 0
} finally {
  if (server.child.exitCode === null) await server.kill()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
