/**
 * Measures what reeve costs, each against something bare in the same run, and writes the table of docs/performance.md.
 * Run: npm run perf            all figures, and the page
 *      npm run perf -- engine  only those whose name fits; the page stays as it is
 *      npm run perf -- agents  only the real CLI agents, and their table on the page
 *      npm run perf -- server  only the daemon under load, and its table; also one of its parts: server-rates, server-events,
 *                              server-memory, server-runs (REEVE_RUNS=1000: with so many runs)
 * Nothing here fails for being slow: a machine is no promise.
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { agents, agentTable, type Compared } from './agents.ts'
import { engineStep } from './engine-step.ts'
import { loopTurn } from './loop-turn.ts'
import { type Figure, shown } from './measure.ts'
import { queueChoice } from './queue.ts'
import { runOf200, sandboxInstall, sandboxRun } from './sandbox.ts'
import { map, scan } from './scan.ts'
import { serverUnderLoad } from './server.ts'
import { asking, startup } from './startup.ts'
import { workspace } from './workspace.ts'

const PAGE = join(import.meta.dirname, '../../docs/performance.md')
const FIGURES = ['<!-- figures: written by npm run perf -->', '<!-- end of figures -->'] as const
const SERVER = ['<!-- server: written by npm run perf -->', '<!-- end of server -->'] as const
const AGENTS = ['<!-- agents: written by npm run perf -->', '<!-- end of agents -->'] as const

const MEASURES: readonly (readonly [name: string, measure: (folder: string) => Promise<Figure>])[] = [
  ['engine', engineStep],
  ['queue', queueChoice],
  ['loop', loopTurn],
  ['workspace', workspace],
  ['startup', startup],
  ['asking', asking],
  ['scan', scan],
  ['map', map],
  ['sandbox-run', sandboxRun],
  ['sandbox-install', sandboxInstall],
  ['sandbox-200', runOf200],
]

function machine(): string {
  const name = `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${process.platform}, Node ${process.versions.node}`
  return `Measured on ${name}, ${new Date().toISOString().slice(0, 10)}.`
}

function table(figures: readonly Figure[]): string {
  const rows = figures.map((it) => `| ${it.name} | ${it.ours} | ${it.against} | ${shown(it.ratio)} |`)
  return ['| what | median | against | ratio |', '|---|---|---|---|', ...rows].join('\n')
}

function writePage([begin, end]: readonly [string, string], text: string): void {
  const page = readFileSync(PAGE, 'utf8')
  const [from, to] = [page.indexOf(begin) + begin.length, page.indexOf(end)]
  if (to < from) throw new Error(`${PAGE} has no place for the figures: "${begin}" ... "${end}"`)
  writeFileSync(PAGE, `${page.slice(0, from)}\n${machine()}\n\n${text}\n${page.slice(to)}`)
}

/** The real agents are a table of their own: it is written whenever they were measured. */
async function compareAgents(folder: string): Promise<void> {
  const compared: Compared[] | null = await agents(folder)
  if (compared === null) return console.log('agents: not measured, they are not here: node scripts/install-tools.ts agents')
  console.log(agentTable(compared))
  writePage(AGENTS, agentTable(compared))
}

function tell({ name, ours, against, ratio }: Figure): void {
  console.log(`${name}: ${ours}; ${against}; ratio ${shown(ratio)}`)
}

/** The daemon is a table of its own: it is written when all its parts were measured. */
async function loadServer(folder: string): Promise<void> {
  const parts = wanted.filter((it) => it.startsWith('server'))
  if (wanted.length > 0 && parts.length === 0) return
  const whole = wanted.length === 0 || parts.includes('server')
  const figures = await serverUnderLoad(folder, whole ? [] : parts, tell)
  if (whole) writePage(SERVER, table(figures))
}

const wanted = process.argv.slice(2)
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'reeve-perf-')))
try {
  const figures: Figure[] = []
  for (const [name, measure] of MEASURES) {
    if (wanted.length > 0 && !wanted.some((it) => name.includes(it))) continue
    const place = join(folder, name)
    mkdirSync(place)
    const figure = await measure(place)
    figures.push(figure)
    tell(figure)
    rmSync(place, { recursive: true, force: true, maxRetries: 5 })
  }
  if (wanted.length === 0) writePage(FIGURES, table(figures))
  await loadServer(folder)
  if (wanted.length === 0 || wanted.some((it) => 'agents'.includes(it))) await compareAgents(folder)
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
