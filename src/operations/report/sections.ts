import { constants } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { arch, availableParallelism, freemem, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { type Loaded, leaves, printable } from '../../config/load.ts'
import { parseJson } from '../../core/json.ts'
import { lockFileIsHeld } from '../../store/lock-file.ts'
import type { Store } from '../../store/open.ts'
import { DAEMON_LOCK } from '../../store/places.ts'
import type { RunRow } from '../../store/port.ts'
import type { Context } from '../context.ts'
import { freeBytes } from '../gauges.ts'

const MB = 1024 * 1024

export async function machineSection({ folders, version, env }: Pick<Context, 'folders' | 'version' | 'env'>) {
  const free = async (folder: string) => {
    const bytes = await freeBytes(folder)
    return bytes === null ? null : Math.floor(bytes / MB)
  }
  return {
    reeve: version,
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    processors: availableParallelism(),
    memory_mb: { total: Math.round(totalmem() / MB), free: Math.round(freemem() / MB) },
    disk_free_mb: { state: await free(folders.state), data: await free(folders.data) },
    folders,
    // Names alone: a value may be a secret.
    variables: Object.keys(env)
      .filter((it) => /^(?:REEVE_|XDG_|NO_COLOR$|CI$|TERM$)/.test(it) || /_PROXY$/i.test(it))
      .toSorted(),
  }
}

/** What was set and is not the default. Headers, variables and options of modules by their names alone. */
export function settingsSection({ settings, origins, warnings }: Loaded) {
  const set = leaves(settings).filter(([key, value]) => value !== undefined && origins.has(key))
  const shown = set.map(([key, value]) => ({
    key,
    value: isTheirs(key) ? '[left out]' : withoutLogin(printable(key, value)),
    from: origins.get(key),
  }))
  return { set: shown, warnings }
}

function isTheirs(key: string): boolean {
  return /^providers\..+\.(?:headers|env|options|command|args)(?:\.|$)|^webhooks\..+\.url$/.test(key)
}

/** An address without who logs in and without its query. */
function withoutLogin(value: unknown): unknown {
  const url = typeof value === 'string' && /^[a-z+]+:\/\//i.test(value) ? URL.parse(value) : null
  return url === null ? value : `${url.protocol}//${url.host}${url.pathname}`
}

export async function daemonSection(state: string) {
  const alive = lockFileIsHeld(join(state, DAEMON_LOCK))
  const path = join(state, 'daemon.json')
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return { alive, place: null }
  const { pid, version, startedAt, startedBy, url } = tableIn(text, path)
  return { alive, place: { pid, version, startedAt, startedBy, url } }
}

function tableIn(text: string, path: string): Record<string, unknown> {
  try {
    return parseJson(text, path) as Record<string, unknown>
  } catch {
    return {}
  }
}

const LOG_BYTES = 64 * 1024
const LOG_LINES = 200

/** The last lines of the daemon's log. */
export async function logSection(state: string): Promise<string[]> {
  const file = await open(join(state, 'logs', 'daemon.log'), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => null,
  )
  if (file === null) return []
  try {
    const { size } = await file.stat()
    const from = Math.max(0, size - LOG_BYTES)
    const piece = Buffer.alloc(Math.min(size, LOG_BYTES))
    await file.read(piece, 0, piece.length, from)
    const lines = piece.toString('utf8').split('\n')
    return lines
      .slice(from > 0 ? 1 : 0)
      .filter((it) => it !== '')
      .slice(-LOG_LINES)
  } finally {
    await file.close()
  }
}

export async function storeSection(store: Store) {
  const breakers = (await store.routing.allBreakers()).map(({ key, failures, openFor, class: kind }) => ({
    key,
    failures,
    openFor,
    class: kind,
  }))
  return {
    ...(await store.facts()),
    workload: await store.workload(),
    workers: store.livingNodes().length,
    pauses: (await store.queue.pauses()).length,
    breakers,
  }
}

const MOST_RUNS = 10
const MOST_EVENTS = 60

/** How the last failed runs went: which events, without what they hold. */
export async function runsSection(store: Store) {
  const rows = await store.listRuns({ states: ['failed'], limit: MOST_RUNS })
  return Promise.all(rows.map((row) => runSection(store, row)))
}

async function runSection(store: Store, row: RunRow) {
  const events = await store.events(row.id, Math.max(0, row.lastSeq - MOST_EVENTS))
  const { id, workflow, reason, message, crashes, createdAt, startedAt, finishedAt, lastSeq } = row
  const first = events[0]?.ts ?? 0
  return {
    run: id,
    workflow,
    role: row.task.role,
    kind: row.task.kind,
    reason,
    message,
    crashes,
    seconds: startedAt === null || finishedAt === null ? null : Math.round((finishedAt - startedAt) / 1000),
    createdAt,
    events: lastSeq,
    isolation: row.facts.isolation ?? null,
    attempts: row.facts.attempts ?? 0,
    last_events: events.map(({ seq, ts, type, data }) => [`${seq} +${Math.round((ts - first) / 1000)}s`, type, ...wordsOf(data)].join(' ')),
  }
}

/** Fields of events that are words of ours, or names from the settings. */
const WORDS = ['step', 'kind', 'status', 'reason', 'provider', 'class', 'gate', 'level', 'limit', 'tool'] as const

function wordsOf(data: Readonly<Record<string, unknown>>): string[] {
  return WORDS.flatMap((key) => {
    const value = data[key]
    // A reason in words of others is longer.
    return typeof value === 'string' && value.length <= 40 && /^[\w.-]+$/.test(value) ? [`${key}=${value}`] : []
  })
}
