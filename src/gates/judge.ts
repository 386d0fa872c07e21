import { needsRedProof } from '../core/task.ts'
import type { ChangedCoverage, Finding, GateResult, RedProof } from '../core/verdict.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import type { Scratch } from '../workspace/port.ts'
import { type BaseResults, openBaseResults } from './base-results.ts'
import { softenedTests } from './base-tests.ts'
import { type Bench, type JudgeParts, openBench } from './bench.ts'
import { fallsWithBuild } from './command-kinds.ts'
import { type ConfigChange, configChanges } from './config/changes.ts'
import { configFileOf } from './config/files.ts'
import { coverageGate } from './coverage.ts'
import { integrityGate, tamperedFiles, tamperedRuns } from './integrity.ts'
import { keptProof } from './kept-proof.ts'
import { quoted, RULES, tampered } from './named.ts'
import { openPlaces, type Places } from './places.ts'
import { type GatePlan, notRun, planGates } from './plan.ts'
import type { Judge, JudgeRequest, Verdict } from './port.ts'
import { redProof } from './red-proof.ts'
import { type GateBench, type GateRun, runGate } from './run-gate.ts'
import { type FileTests, pairTests } from './test-pairs.ts'
import { variantOfBase } from './variant.ts'
import { verdictOf } from './verdict.ts'

/**
 * The judge: runs the gates of a checkout and says of every failure where it comes from. Throws only the abort reason, and what `detect` throws.
 * Everything it measures elsewhere (base, proof) happens in scratch checkouts that are gone when it returns.
 */
export function createJudge(parts: JudgeParts): Judge {
  return async (request) => {
    const bench = openBench(parts, request)
    let plan: GatePlan | null = null
    const base = openBaseResults(bench, () => plan?.commands ?? [])
    try {
      const places = await openPlaces(bench)
      const configs = await configChanges(bench, places)
      plan = await planGates(bench, () => base.checkout(), touchesDetection(request))
      return await judge({ bench, base, places, configs, plan })
    } finally {
      await base.dispose()
    }
  }
}

interface Case {
  bench: Bench
  base: BaseResults
  places: Places
  configs: readonly ConfigChange[]
  plan: GatePlan
}

async function judge(it: Case): Promise<Verdict> {
  const { bench, base, places, configs, plan } = it
  const { request } = bench
  const restored = new Set(configs.filter((config) => config.weakened).map((config) => config.path))
  const files = await pairTests(bench, places)
  const seen = await tamperedFiles(bench, places, files, configs)
  const copy = await restoredCopy(bench, restored)
  try {
    const gateBench: GateBench = {
      bench,
      places,
      base,
      at: copy.scratch ?? request.checkout,
      compareAlways: compareAlways(request, files, configs),
    }
    const runs = await runGates(gateBench, plan)
    const vanished = tamperedRuns(runs, base, files, places)
    const { proof, findings } = await prove(it, runs, files, restored, [...seen, ...vanished])
    const { gates, coverage } = await withCoverage(it, runs)
    const all = [...gates.map((gate) => withNotes(gate, plan, runs, copy.note)), ...plan.absent]
    if (request.comparison) all.push(integrityGate([...seen, ...vanished, ...findings, ...copy.findings, ...vacuousTests(proof, seen)]))
    const { tree, comparison, settings } = request
    // Coverage that reeve found out about by itself is a service; that its tool is not installed is no failure of anybody.
    const optional = new Set(settings.gates.coverage.command === undefined ? ['coverage'] : [])
    return verdictOf({ gates: all, redProof: proof, changedCoverage: coverage, tree, base: comparison?.base ?? null, optional })
  } finally {
    await copy.scratch?.dispose()
  }
}

/** Files whose change, or whose going, could change which commands are found. */
function touchesDetection({ comparison }: JudgeRequest): boolean {
  return (
    comparison?.changes.some(
      (it) =>
        it.status === 'deleted' ||
        configFileOf(it.path) !== undefined ||
        /(?:^|\/)(?:reeve[\w.-]*\.toml|[\w.-]*lock[\w.-]*|go\.mod|Gemfile)$/.test(it.path),
    ) ?? false
  )
}

/** Counting the base's tests is worth a run of its own when something could have taken tests away, and at the end of the work. */
function compareAlways(request: JudgeRequest, files: readonly FileTests[], configs: readonly ConfigChange[]): boolean {
  return request.depth === 'full' || configs.length > 0 || files.some((it) => it.oldPath !== null)
}

/** Where configuration was made weaker, a copy of the change with the base's version of it is what is judged. */
async function restoredCopy(
  bench: Bench,
  restored: ReadonlySet<string>,
): Promise<{ scratch: Scratch | null; note: string; findings: Finding[] }> {
  if (restored.size === 0) return { scratch: null, note: '', findings: [] }
  const list = [...restored].map(quoted).join(', ')
  try {
    const scratch = await variantOfBase(bench, (it) => !restored.has(it.path))
    return { scratch, note: ` Judged in a copy with the base's version of ${list}, because the change made it weaker.`, findings: [] }
  } catch (error) {
    bench.request.signal.throwIfAborted()
    const problem = error instanceof Error ? error.message : String(error)
    const message = `The change was judged with its own version of ${list}: a copy with the base's could not be made (${problem}).`
    return { scratch: null, note: '', findings: [tampered(RULES.config, { file: null }, message)] }
  }
}

async function runGates(it: GateBench, plan: GatePlan): Promise<GateRun[]> {
  const runs: GateRun[] = []
  for (const command of plan.commands) {
    const reason = whyNot(command, runs)
    const testsFail = runs.some((run) => run.measurement?.cases?.some((one) => one.status === 'failed'))
    runs.push(
      reason === null
        ? await runGate(it, command, testsFail)
        : { command, result: notRun(command.gate, reason, command), measurement: null },
    )
  }
  return runs
}

/** A gate that would only repeat an earlier failure, or judge what an earlier build left behind. */
function whyNot(command: DetectedCommand, runs: readonly GateRun[]): string | null {
  const failed = (gate: string) => runs.some((it) => it.command.gate === gate && it.result.status === 'failed')
  if (fallsWithBuild(command) && failed('build')) return 'The build failed, and this needs what it makes.'
  if (command.gate === 'coverage' && failed('tests')) return 'The tests fail, so what they reach says nothing.'
  return null
}

async function prove(
  it: Case,
  runs: readonly GateRun[],
  files: readonly FileTests[],
  restored: ReadonlySet<string>,
  seen: readonly Finding[],
): Promise<{ proof: RedProof; findings: Finding[] }> {
  const { bench, base, places, configs } = it
  const { task, depth } = bench.request
  if (depth === 'quick') return { proof: unproved('The proof is asked for when all gates run.'), findings: [] }
  const judges = new Set(configs.filter((config) => config.gates.includes('tests')).map((config) => config.path))
  const input = { bench, runs, files, base, places, restored, judges }
  const done = needsRedProof(task.kind)
    ? { proof: await redProof(input), findings: await softenedTests(input) }
    : await keptProof(input, seen)
  bench.emit({ type: 'proof.finished', status: done.proof.status, summary: done.proof.reason })
  return done
}

function unproved(reason: string): RedProof {
  return { status: 'not_needed', reason, files: [], red: [], vacuous: [] }
}

async function withCoverage(
  { bench, places }: Case,
  runs: readonly GateRun[],
): Promise<{ gates: GateResult[]; coverage: ChangedCoverage | null }> {
  let coverage: ChangedCoverage | null = null
  const gates: GateResult[] = []
  for (const run of runs) {
    if (run.command.gate !== 'coverage' || run.measurement === null) {
      gates.push(run.result)
      continue
    }
    const done = await coverageGate(bench, places, run.result, run.measurement.coverage)
    coverage ??= done.changed
    gates.push(done.result)
  }
  return { gates, coverage }
}

/** Says where a gate ran, and that its command is the change's own where the base has none. */
function withNotes(gate: GateResult, plan: GatePlan, runs: readonly GateRun[], note: string): GateResult {
  const run = runs.find((it) => it.command.gate === gate.name && it.command.command === gate.command)
  const noted = { ...gate, reason: `${gate.reason}${note}` }
  if (!run || !plan.fromChange.has(run.command)) return noted
  const message = `The base has no command for ${gate.name}; this one comes from the change: ${gate.command ?? ''}`
  const finding: Finding = { file: null, line: null, severity: 'warning', rule: RULES.config, message, attribution: 'none' }
  return { ...noted, status: noted.status === 'passed' ? 'warning' : noted.status, findings: [...noted.findings, finding] }
}

/** Tests that prove nothing, beside others that do: worth knowing, and no reproach, since a guard against going too far passes on the base too. */
function vacuousTests(proof: RedProof, seen: readonly Finding[]): Finding[] {
  if (proof.status === 'refuted') return []
  const told = seen.filter((it) => it.rule === RULES.vacuous).map((it) => it.message)
  const without = proof.status === 'proved' ? 'the change' : 'any production code'
  return proof.vacuous
    .filter((name) => !told.some((message) => message.includes(name.split(' > ').at(-1) ?? name)))
    .map((name) => ({
      file: null,
      line: null,
      severity: 'warning' as const,
      rule: RULES.vacuous,
      message: `The test ${quoted(name)} passes without ${without} too, so it proves nothing.`,
      attribution: 'none' as const,
    }))
}
