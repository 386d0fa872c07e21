/**
 * Measures what reeve costs, each against something bare in the same run, and writes the table of docs/performance.md.
 * Run: npm run perf            all figures, and the page
 *      npm run perf -- engine  only those whose name fits; the page stays as it is
 * Nothing here fails for being slow: a machine is no promise.
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { engineStep } from './engine-step.ts'
import { loopTurn } from './loop-turn.ts'
import { type Figure, shown } from './measure.ts'
import { runOf200, sandboxInstall, sandboxRun } from './sandbox.ts'
import { map, scan } from './scan.ts'
import { startup } from './startup.ts'
import { workspace } from './workspace.ts'

const PAGE = join(import.meta.dirname, '../../docs/performance.md')
const [BEGIN, END] = ['<!-- figures: written by npm run perf -->', '<!-- end of figures -->']

const MEASURES: readonly (readonly [name: string, measure: (folder: string) => Promise<Figure>])[] = [
  ['engine', engineStep],
  ['loop', loopTurn],
  ['workspace', workspace],
  ['startup', startup],
  ['scan', scan],
  ['map', map],
  ['sandbox-run', sandboxRun],
  ['sandbox-install', sandboxInstall],
  ['sandbox-200', runOf200],
]

function table(figures: readonly Figure[]): string {
  const rows = figures.map((it) => `| ${it.name} | ${it.ours} | ${it.against} | ${shown(it.ratio)} |`)
  const machine = `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${process.platform}, Node ${process.versions.node}`
  return [
    `Measured on ${machine}, ${new Date().toISOString().slice(0, 10)}.`,
    '',
    '| what | median | against | ratio |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n')
}

function writePage(figures: readonly Figure[]): void {
  const page = readFileSync(PAGE, 'utf8')
  const [from, to] = [page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)]
  if (to < from) throw new Error(`${PAGE} has no place for the figures: "${BEGIN}" ... "${END}"`)
  writeFileSync(PAGE, `${page.slice(0, from)}\n${table(figures)}\n${page.slice(to)}`)
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
    console.log(`${figure.name}: ${figure.ours}; ${figure.against}; ratio ${shown(figure.ratio)}`)
    rmSync(place, { recursive: true, force: true, maxRetries: 5 })
  }
  if (wanted.length === 0) writePage(figures)
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
