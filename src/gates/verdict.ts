import type { ChangedCoverage, Finding, GateResult, GateStatus, RedProof, Verdict } from '../core/verdict.ts'

export interface Judged {
  /** Gates nobody asked for: one that cannot run is told, and held against nobody. */
  optional?: ReadonlySet<string>
  gates: readonly GateResult[]
  redProof: RedProof
  changedCoverage: ChangedCoverage | null
  tree: string | null
  base: string | null
}

/** Puts the verdict together: status, score and the one sentence that a person reads first. Pure. */
export function verdictOf(judged: Judged): Verdict {
  const { gates, redProof, changedCoverage, tree, base, optional = new Set() } = judged
  const counted = gates.filter((it) => !(it.status === 'not_run' && optional.has(it.name)))
  const status = statusOf(counted, redProof)
  return {
    status,
    score: scoreOf(counted, redProof),
    summary: summaryOf(status, gates, redProof),
    gates: [...gates],
    redProof,
    changedCoverage,
    tree,
    base,
  }
}

/** A gate that the project does not have says nothing about the change. */
function has(gate: GateResult): boolean {
  return gate.status !== 'not_run' || gate.command !== null
}

function statusOf(gates: readonly GateResult[], proof: RedProof): GateStatus {
  if (gates.some((it) => it.status === 'failed') || proof.status === 'refuted') return 'failed'
  const project = gates.filter((it) => it.command !== null)
  // What judges behaviour could not run: the rest being green is no answer.
  if (project.every((it) => it.status === 'not_run') || project.some((it) => it.name === 'tests' && couldNotRun(it))) return 'not_run'
  const open = gates.some((it) => it.status === 'warning' || (has(it) && it.status === 'not_run')) || proof.status === 'not_run'
  return open ? 'warning' : 'passed'
}

/** True for a gate that was wanted and broke; a docs task in a project without tests has a tests gate that ran and had nothing to do. */
function couldNotRun(gate: GateResult): boolean {
  return gate.status === 'not_run' && gate.tests?.total !== 0
}

function scoreOf(gates: readonly GateResult[], proof: RedProof): number {
  const marks = gates.filter(has).map((it) => (it.status === 'passed' || it.status === 'warning' ? 1 : 0))
  if (proof.status === 'proved') marks.push(1)
  if (proof.status === 'refuted' || proof.status === 'not_run') marks.push(0)
  if (marks.length === 0) return 0
  const sum = marks.reduce<number>((all, it) => all + it, 0)
  return Math.round((sum / marks.length) * 1000) / 1000
}

function summaryOf(status: GateStatus, gates: readonly GateResult[], proof: RedProof): string {
  const failed = gates.filter((it) => it.status === 'failed').map(failureText)
  const refuted = proof.status === 'refuted' ? [`proof refuted: ${sentence(proof.reason)}`] : []
  const broken = gates.filter((it) => has(it) && it.status === 'not_run').map((it) => `${it.name} could not run: ${sentence(it.reason)}`)
  const warned = gates.filter((it) => it.status === 'warning').map(warningText)
  const passed = gates.filter((it) => it.status === 'passed')
  const done = passed.length === 0 ? [] : [`${passed.length} ${passed.length === 1 ? 'gate' : 'gates'} passed`]
  const proved =
    proof.status === 'proved'
      ? [`proved: ${sentence(proof.reason)}`]
      : proof.status === 'not_run'
        ? [`no proof: ${sentence(proof.reason)}`]
        : []
  // What went wrong is read first.
  const parts = status === 'failed' ? [...failed, ...refuted, ...done] : [...done, ...warned, ...broken, ...proved]
  if (parts.length === 0) return 'No gate could be run, so nothing is known.'
  const text = parts.join('; ')
  return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`
}

function failureText(gate: GateResult): string {
  const own = gate.findings.filter((it) => ['introduced', 'tampered', 'none'].includes(it.attribution) && it.severity !== 'info')
  const named = own.find((it) => it.severity === 'error') ?? own[0]
  if (!named) return `${gate.name} failed`
  if (named.attribution === 'tampered') return more(sentence(named.message).replace(/^The /, 'the '), own.length - 1)
  if (isTest(gate, named)) return testText(own, named)
  const place = named.file === null ? '' : ` in ${named.file}${named.line === null ? '' : `:${named.line}`}`
  return `${gate.name} failed with ${own.length} ${own.length === 1 ? 'finding' : 'findings'}${place}: ${sentence(named.message)}`
}

function isTest(gate: GateResult, finding: Finding): boolean {
  return gate.tests !== null && !finding.rule.startsWith('reeve/')
}

function testText(own: readonly Finding[], named: Finding): string {
  const one = own.length === 1
  const how = named.attribution === 'none' ? '' : one ? ' that does not fail on the base' : ' that do not fail on the base'
  return `${own.length} ${one ? 'test fails' : 'tests fail'}${how}: ${named.rule}${one ? '' : ' and others'}`
}

function warningText(gate: GateResult): string {
  const [first] = gate.findings.filter((it) => it.severity !== 'info')
  const kinds = new Set(gate.findings.map((it) => it.attribution))
  const count = (attribution: Finding['attribution']) => gate.findings.filter((it) => it.attribution === attribution).length
  if (kinds.has('flaky')) return `${gate.name}: ${count('flaky')} flaky, passed when run again`
  if (kinds.has('pre-existing'))
    return `${gate.name}: ${count('pre-existing')} ${count('pre-existing') === 1 ? 'failure was' : 'failures were'} there before`
  return `${gate.name}: ${sentence(first?.message ?? gate.reason)}`
}

function more(text: string, others: number): string {
  return others > 0 ? `${text} (and ${others} more)` : text
}

// The first sentence is what fits beside others.
const MAX_SENTENCE = 220

function sentence(text: string): string {
  const line = text.trim().split('\n')[0] ?? ''
  const cut = line.length > MAX_SENTENCE ? `${line.slice(0, MAX_SENTENCE)}…` : line
  return cut.replace(/[.:]$/, '')
}
