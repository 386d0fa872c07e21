import type { Finding, GateResult, RedProof, Verdict } from '../../core/verdict.ts'
import { duration } from '../figures.ts'
import type { Io } from '../io.ts'
import { mark } from '../live/frame.ts'
import { fit, oneLine, table } from '../text.ts'

// More than a screen helps nobody; all of them are in --json.
const MANY_FINDINGS = 20

/** A verdict for people: the matrix of gates, the failures with their origin, the red proof, the coverage of changed lines. */
export function verdictLines(io: Io, verdict: Verdict): string[] {
  return [
    `${io.paint('bold', 'Verdict')} ${mark(io, verdict.status)} ${verdict.status.replace('_', ' ')}, score ${verdict.score.toFixed(2)}: ${oneLine(verdict.summary)}`,
    ...gateLines(io, verdict.gates),
    ...findingLines(io, verdict.gates),
    ...proofLines(io, verdict.redProof),
    ...coverageLines(io, verdict),
  ]
}

function gateLines(io: Io, gates: readonly GateResult[]): string[] {
  if (gates.length === 0) return ['  No gate was run.']
  const rows = gates.map((it) => [
    it.name,
    it.status.replace('_', ' '),
    baseOf(it),
    testsOf(it),
    duration(it.durationMs),
    it.command === null ? oneLine(it.reason) : oneLine(it.command),
  ])
  const [head = '', ...body] = table([['GATE', 'STATUS', 'BASE', 'TESTS', 'TIME', 'COMMAND'], ...rows], io.columns() - 4, 5)
  return [io.paint('dim', `    ${head}`), ...body.map((line, at) => `  ${mark(io, gates[at]?.status ?? 'not_run')} ${line}`)]
}

function baseOf(gate: GateResult): string {
  return gate.base === null ? '-' : gate.base.status.replace('_', ' ')
}

function testsOf({ tests }: GateResult): string {
  if (tests === null) return '-'
  const skipped = tests.skipped > 0 ? `, ${tests.skipped} skipped` : ''
  return `${tests.passed} of ${tests.total}${skipped}`
}

function findingLines(io: Io, gates: readonly GateResult[]): string[] {
  const all = gates.flatMap((gate) => gate.findings.map((finding) => ({ gate: gate.name, finding })))
  if (all.length === 0) return []
  const shown = all.toSorted((a, b) => rank(a.finding) - rank(b.finding)).slice(0, MANY_FINDINGS)
  const more = all.length - shown.length
  return [
    '  Findings',
    ...shown.map(({ gate, finding }) => `    ${findingLine(io, gate, finding)}`),
    ...(more > 0 ? [io.paint('dim', `    … and ${more} more: --json`)] : []),
  ]
}

/** The change's own failures first. */
function rank(finding: Finding): number {
  const order = ['tampered', 'introduced', 'none', 'flaky', 'environmental', 'pre-existing']
  return order.indexOf(finding.attribution) * 3 + ['error', 'warning', 'info'].indexOf(finding.severity)
}

function findingLine(io: Io, gate: string, it: Finding): string {
  const place = it.file === null ? '' : `${oneLine(it.file)}${it.line === null ? '' : `:${it.line}`} `
  const whose = it.attribution === 'none' ? '' : `${it.attribution} `
  const style = it.severity === 'error' ? 'red' : it.severity === 'warning' ? 'yellow' : 'dim'
  const text = fit(oneLine(`${it.rule}: ${it.message}`), Math.max(40, io.columns() - place.length - whose.length - gate.length - 14))
  return `${io.paint(style, it.severity)} ${place}${io.paint('bold', whose)}${gate} ${text}`
}

function proofLines(io: Io, proof: RedProof): string[] {
  const sign = proof.status === 'proved' ? 'passed' : proof.status === 'refuted' ? 'failed' : 'not_run'
  return [
    `  ${mark(io, sign)} red proof ${proof.status.replace('_', ' ')}: ${oneLine(proof.reason)}`,
    ...proof.red.slice(0, 10).map((it) => io.paint('dim', `      red without the change: ${oneLine(it)}`)),
    ...proof.vacuous.slice(0, 10).map((it) => `      ${io.paint('yellow', 'proves nothing, it passes on the base:')} ${oneLine(it)}`),
  ]
}

function coverageLines(io: Io, { changedCoverage: it }: Verdict): string[] {
  if (it === null) return []
  const enough = it.percent >= it.threshold
  const missing = it.uncovered
    .slice(0, 5)
    .map((file) =>
      io.paint('dim', `      not reached: ${oneLine(file.file)}:${file.lines.slice(0, 12).join(',')}${file.lines.length > 12 ? ',…' : ''}`),
    )
  return [
    `  ${mark(io, enough ? 'passed' : 'warning')} changed lines covered: ${it.covered} of ${it.lines} (${Math.round(it.percent)} %, wanted ${it.threshold} %)`,
    ...missing,
  ]
}
