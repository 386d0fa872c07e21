import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ADAPTERS } from '../../src/agents/cli/adapters.ts'
import type { CliCommand } from '../../src/agents/cli/port.ts'
import { startScriptedServer } from '../../src/models/scripted-server/server.ts'
import { searchPath } from '../real/search-path.ts'
import { FIX, GOAL, KEY, MODEL, makeProject, RIGHT, userEnv } from '../real/session.ts'
import { hasTools } from '../support/tools.ts'
import { median, shown } from './measure.ts'

const ROUNDS = 5
const SESSION = join(import.meta.dirname, 'agent-session.ts')
const CLIS = ['claude', 'codex', 'gemini', 'opencode'] as const
// How often the memory of all processes is added up. Reading it takes a millisecond of another processor.
const LOOK_MS = 40
const TICKS = 100

interface Cost {
  seconds: number
  cpu: number
  /** Most that all processes of the tree had together. */
  megabytes: number
}

export interface Compared {
  name: string
  /** null: it does not exist by itself. */
  alone: Cost | null
  underReeve: Cost
}

/**
 * The same session of four turns (read, edit, test, word) against a model that answers at once: by our own loop, by each real CLI agent alone, and
 * by that agent as reeve runs it. In turns, so that a machine that slows down slows all. null: the real agents are not here.
 */
export async function agents(folder: string): Promise<Compared[] | null> {
  if (!hasTools('agents')) return null
  const kinds = ['openai-compatible', ...CLIS]
  const all = new Map(kinds.map((it) => [it, { alone: [] as Cost[], underReeve: [] as Cost[] }]))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const kind of kinds) {
      const cli = CLIS.find((it) => it === kind)
      const costs = all.get(kind)
      const underReeve = await inFolder(folder, (place, url) => throughReeve(kind, url, place))
      const alone = cli === undefined ? null : await inFolder(folder, (place, url) => byItself(cli, url, place))
      // The first round warms up.
      if (round === 0) continue
      costs?.underReeve.push(underReeve)
      if (alone !== null) costs?.alone.push(alone)
    }
  }
  return [...all].map(([kind, { alone, underReeve }]) => ({
    name: kind === 'openai-compatible' ? "reeve's own loop" : kind,
    alone: alone.length === 0 ? null : medians(alone),
    underReeve: medians(underReeve),
  }))
}

function medians(all: readonly Cost[]): Cost {
  const of = (key: keyof Cost) => median(all.map((it) => it[key]))
  return { seconds: of('seconds'), cpu: of('cpu'), megabytes: of('megabytes') }
}

async function inFolder(folder: string, measure: (place: string, url: string) => Promise<Cost>): Promise<Cost> {
  const place = mkdtempSync(join(folder, 'agent-'))
  const server = await startScriptedServer({ steps: FIX, key: KEY, models: [MODEL] })
  try {
    return await measure(place, server.url)
  } finally {
    await server.close()
    rmSync(place, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** What a reeve that runs already spends on the step; the memory is all of it, reeve's own with it. */
async function throughReeve(kind: string, url: string, place: string): Promise<Cost> {
  const argv = [process.execPath, '--disable-warning=ExperimentalWarning', SESSION, kind, url, place] as const
  const { stdout, megabytes, cpu: below } = await measured({ argv, cwd: place, env: { ...process.env, ...userEnv(place) }, input: null })
  const { seconds, cpu } = JSON.parse(stdout.replace('begin\n', '')) as { seconds: number; cpu: number }
  return { seconds, cpu: cpu + below, megabytes }
}

/** The program with the arguments and settings that reeve gives it, held by nothing. */
async function byItself(cli: (typeof CLIS)[number], url: string, place: string): Promise<Cost> {
  const adapter = ADAPTERS.find((it) => it.kind === cli)
  if (!adapter) throw new Error(`There is no adapter for ${cli}.`)
  const cwd = makeProject(place)
  const home = join(place, 'home')
  mkdirSync(join(home, 'tmp'), { recursive: true })
  const command: CliCommand = adapter.command({
    ...{ prompt: `${GOAL}\nYour working directory is ${cwd}\n`, promptFile: join(home, 'prompt.md'), model: MODEL },
    ...{ endpoint: { baseUrl: url, key: KEY }, session: randomUUID(), resume: false, write: true, commands: true, confined: true },
    ...{ cwd, home, limits: { turns: 20, usd: null }, idleSeconds: 45, maxTokens: 8192, contextTokens: 128_000, args: [] },
  })
  for (const { path, text } of command.files) {
    mkdirSync(dirname(join(home, path)), { recursive: true })
    writeFileSync(join(home, path), text)
  }
  const env = { ...userEnv(home), TMPDIR: join(home, 'tmp'), TERM: 'dumb', NO_COLOR: '1', ...command.env, ...command.secrets }
  const path = join(searchPath().split(':')[0] ?? '', adapter.binary)
  const cost = await measured({ argv: [path, ...command.args], cwd, env, input: command.input })
  if (readFileSync(join(cwd, 'sum.mjs'), 'utf8') !== RIGHT) throw new Error(`${cli} alone did not do the work: ${cost.stdout.slice(-1000)}`)
  return cost
}

interface Program {
  argv: readonly [string, ...string[]]
  cwd: string
  env: Readonly<Record<string, string | undefined>>
  input: string | null
}

/** Runs a program. Processor time is that of what it starts after it has said "begin"; of one that does not say so, its own as well. */
async function measured({ argv, cwd, env, input }: Program): Promise<Cost & { stdout: string }> {
  const [program, ...args] = argv
  const began = performance.now()
  const child = spawn(program, args, { cwd, env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(input ?? '')
  const root = child.pid ?? 0
  const ticks = new Map<number, number>()
  let megabytes = 0
  const look = () => {
    const tree = treeOf(root)
    megabytes = Math.max(megabytes, tree.reduce((sum, it) => sum + it.bytes, 0) / 1024 / 1024)
    for (const it of tree) ticks.set(it.pid, it.ticks)
  }
  const timer = setInterval(look, LOOK_MS)
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (said.stdout === '' && text.startsWith('begin')) ticks.clear()
    said.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearInterval(timer)
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${said.stderr.slice(-2000)}${said.stdout.slice(-1000)}`)
  if (said.stdout.startsWith('begin')) ticks.delete(root)
  const cpu = [...ticks.values()].reduce((sum, it) => sum + it, 0) / TICKS
  return { seconds: (performance.now() - began) / 1000, cpu, megabytes, stdout: said.stdout }
}

/**
 * A process and all below it. Their own processor time is added up as it was last seen: the sandbox ends without waiting for what it held, so that
 * nobody is told it afterwards.
 */
function treeOf(root: number): { pid: number; ticks: number; bytes: number }[] {
  const all = new Map<number, { parent: number; ticks: number; bytes: number }>()
  for (const name of readdirSync('/proc')) {
    const fields = /^\d+$/.test(name) ? statOf(name) : []
    if (fields.length === 0) continue
    const [parent, user, system, pages] = [1, 11, 12, 21].map((it) => Number(fields[it])) as [number, number, number, number]
    all.set(Number(name), { parent, ticks: user + system, bytes: pages * 4096 })
  }
  const isBelow = (pid: number): boolean => pid === root || (pid > 1 && isBelow(all.get(pid)?.parent ?? 0))
  return [...all].filter(([pid]) => isBelow(pid)).map(([pid, it]) => ({ pid, ...it }))
}

/** The fields after the name, which may hold spaces: state, parent, … */
function statOf(pid: string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return [] // gone
  }
}

/** The table of docs/performance.md. */
export function agentTable(all: readonly Compared[]): string {
  const cell = (cost: Cost | null) =>
    cost === null ? '' : `${shown(cost.seconds)} s, ${shown(cost.cpu)} s, ${Math.round(cost.megabytes)} MB`
  const ratio = ({ alone, underReeve }: Compared) => (alone === null ? '' : shown(underReeve.seconds / alone.seconds))
  return [
    '| agent | alone: time, processor, memory | under reeve: time, processor, memory | time, under reeve / alone |',
    '|---|---|---|---|',
    ...all.map((it) => `| ${it.name} | ${cell(it.alone)} | ${cell(it.underReeve)} | ${ratio(it)} |`),
  ].join('\n')
}
