import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { AgentEvent, AgentResult } from '../../src/agents/port.ts'
import type { ProviderSettings } from '../../src/core/settings.ts'
import type { Behaviour, Scene, ScriptStep } from '../../src/models/scripted-server/script.ts'
import { type ScriptedServer, startScriptedServer } from '../../src/models/scripted-server/server.ts'
import type { Sandbox } from '../../src/sandbox/port.ts'
import type { Workspace } from '../../src/workspace/port.ts'
import { temporaryFolder } from '../support/folder.ts'
import { FIX, KEY, MODEL, openWork, runSession, type SessionWish } from './session.ts'

export const CLIS = ['claude', 'codex', 'gemini', 'opencode'] as const
export type Cli = (typeof CLIS)[number]
/** All of it, by `npm run real`; else what is quick. */
export const WHOLE = process.env['REEVE_REAL'] === 'all'

/** Where an agent works. A later attempt may work in the place of an earlier one. */
export interface Place {
  folder: string
  workspace: Workspace
}

export type Wish = SessionWish['request'] & {
  cli: Cli
  mode?: 'batch' | 'acp'
  sandbox: Sandbox
  steps?: readonly ScriptStep[]
  scenes?: readonly Scene[]
  behaviour?: Behaviour | readonly Behaviour[]
  settings?: Partial<ProviderSettings>
  files?: Readonly<Record<string, string>>
  place?: Place
  /** Called for each event. */
  heard?: (event: AgentEvent, place: Place) => void
}

export interface Played {
  result: AgentResult
  events: AgentEvent[]
  server: ScriptedServer
  place: Place
  seconds: number
  /** Every command line and environment that a process of the run was seen with. */
  processes: { argv: string; env: string }[]
}

/** One step of a real agent in a real workspace, held by the sandbox, against a server that plays a script. */
export async function playAgent(wish: Wish): Promise<Played> {
  const { cli, mode = 'batch', sandbox, steps = FIX, scenes, behaviour, settings, files, heard, place: known, ...request } = wish
  const server = await startScriptedServer({
    ...(scenes ? { scenes } : { steps }),
    ...(behaviour ? { behaviour } : {}),
    key: KEY,
    models: [MODEL],
  })
  onTestFinished(() => server.close())
  const place = known ?? (await makePlace(sandbox, files))
  const access = { base_url: server.url, api_key_env: 'SCRIPTED_API_KEY', price: { input: 1, output: 2 } }
  const events: AgentEvent[] = []
  const watched = watchProcesses('r1', place.folder)
  const began = performance.now()
  const result = await runSession({
    settings: { kind: cli, mode, model: MODEL, ...access, ...settings },
    ...place,
    request,
    emit: (event) => {
      events.push(event)
      heard?.(event, place)
    },
  })
  const seconds = (performance.now() - began) / 1000
  return { result, events, server, place, seconds, processes: watched.end() }
}

async function makePlace(sandbox: Sandbox, files?: Readonly<Record<string, string>>): Promise<Place> {
  const folder = temporaryFolder('reeve-real-')
  return { folder, workspace: await openWork(folder, sandbox, files) }
}

/** Looks at the processes that have a folder in their environment, ten times a second until `end`. */
function watchProcesses(run: string, folder: string): { end(): Played['processes'] } {
  const seen = new Map<string, Played['processes'][number]>()
  const look = () => {
    for (const it of processesIn(run, folder)) seen.set(`${it.pid} ${it.argv}`, it)
  }
  const timer = setInterval(look, 100)
  return {
    end() {
      clearInterval(timer)
      return [...seen.values()]
    },
  }
}

/** Processes of a run whose home is below a folder: several tests have a run of that name. */
export function processesIn(run: string, folder: string): { pid: string; argv: string; env: string }[] {
  return readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it))
    .map((pid) => ({ pid, env: read(pid, 'environ') }))
    .filter(({ env }) => env.includes(`REEVE_RUN=${run}\0`) && env.includes(folder))
    .map(({ pid, env }) => ({ pid, argv: read(pid, 'cmdline').replaceAll('\0', ' '), env }))
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(join('/proc', pid, file), 'latin1')
  } catch {
    return '' // gone
  }
}

/** Files below a folder that hold a text. */
export function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile() && readFileSync(join(it.parentPath, it.name)).includes(text))
    .map((it) => join(it.parentPath, it.name))
}
