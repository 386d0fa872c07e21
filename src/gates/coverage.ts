import type { ChangedCoverage, Finding, GateResult } from '../core/verdict.ts'
import type { Bench } from './bench.ts'
import { configFileOf } from './config/files.ts'
import type { Places } from './places.ts'
import type { CoverageReport } from './port.ts'

/** Coverage of the lines that the change brought to production files, by the report's own idea of which lines can be run. */
export async function changedCoverage(bench: Bench, places: Places, report: CoverageReport): Promise<ChangedCoverage> {
  const { threshold } = bench.request.settings.gates.coverage
  const hits = new Map(report.files.map((it) => [it.path, it.lines]))
  let lines = 0
  let covered = 0
  const uncovered: ChangedCoverage['uncovered'] = []
  for (const { path } of productionChanges(bench)) {
    const reported = hits.get(path)
    const changed = (await places.comparison(path))?.changed ?? []
    const runnable = reported === undefined ? [] : changed.filter((line) => reported[line] !== undefined)
    const missed = runnable.filter((line) => reported?.[line] === 0)
    lines += runnable.length
    covered += runnable.length - missed.length
    if (missed.length > 0) uncovered.push({ file: path, lines: missed })
  }
  const percent = lines === 0 ? 100 : Math.floor((covered / lines) * 1000) / 10
  return { lines, covered, percent, threshold, uncovered }
}

function productionChanges(bench: Bench): { path: string }[] {
  const changes = bench.request.comparison?.changes ?? []
  return changes.filter((it) => it.status !== 'deleted' && !it.opaque && !bench.isTest(it.path) && configFileOf(it.path) === undefined)
}

/** The coverage gate's result with what the changed lines say. A file that the report does not know counts as nothing, and is named. */
export async function coverageGate(
  bench: Bench,
  places: Places,
  result: GateResult,
  report: CoverageReport | null,
): Promise<{ result: GateResult; changed: ChangedCoverage | null }> {
  if (result.status === 'not_run') return { result, changed: null }
  if (report === null) {
    return {
      result: {
        ...result,
        status: result.status === 'failed' ? 'failed' : 'not_run',
        reason: 'The command wrote no coverage report that can be read.',
      },
      changed: null,
    }
  }
  if (!bench.request.comparison) return { result, changed: null }
  const changed = await changedCoverage(bench, places, report)
  const findings = [...result.findings, ...unreported(bench, report)]
  if (changed.percent >= changed.threshold) return { result: { ...result, findings }, changed }

  const failure = bench.request.settings.gates.coverage.below === 'failure'
  const message = `Tests reach ${changed.covered} of ${changed.lines} changed lines (${changed.percent} %); ${changed.threshold} % is asked for.`
  const found = changed.uncovered.map(
    (it): Finding => ({
      file: it.file,
      line: it.lines[0] ?? null,
      severity: failure ? 'error' : 'warning',
      rule: 'reeve/coverage-below',
      message: `${message} Not reached here: ${ranges(it.lines)}.`,
      attribution: 'introduced',
    }),
  )
  const status = failure || result.status === 'failed' ? 'failed' : 'warning'
  return { result: { ...result, status, findings: [...findings, ...found] }, changed }
}

const CODE = /\.(?:[cm]?[jt]s|[jt]sx|py|go|rs|java|kt|c|cc|cpp|cxx|rb|exs?)$/

/** Changed code that the report does not mention at all: most often a new file that no test imports. */
function unreported(bench: Bench, report: CoverageReport): Finding[] {
  const known = new Set(report.files.map((it) => it.path))
  const root = bench.request.checkout.targetDir
  return productionChanges(bench)
    .filter(
      (it) =>
        CODE.test(it.path) && !/\.d\.[cm]?ts$/.test(it.path) && !known.has(it.path) && (root === '.' || it.path.startsWith(`${root}/`)),
    )
    .map((it) => ({
      file: it.path,
      line: null,
      severity: 'info',
      rule: 'reeve/coverage-unknown',
      message: 'The coverage report does not mention this changed file, so its lines are not counted.',
      attribution: 'none',
    }))
}

/** 3, 4, 5, 9 -> "3-5, 9" */
export function ranges(lines: readonly number[]): string {
  const parts: [number, number][] = []
  for (const line of lines) {
    const last = parts.at(-1)
    if (last && last[1] + 1 === line) last[1] = line
    else parts.push([line, line])
  }
  const shown = parts.slice(0, 20).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`))
  return `${shown.length === 1 && !shown[0]?.includes('-') ? 'line' : 'lines'} ${shown.join(', ')}${parts.length > 20 ? ' and more' : ''}`
}
