import { problemOf } from '../core/errors.ts'
import type { Finding } from '../core/verdict.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import type { FileChange } from '../workspace/port.ts'
import { attribute } from './attribution.ts'
import { fallsWithBuild, needsBuild, testCommands } from './command-kinds.ts'
import { configFileOf } from './config/files.ts'
import { failuresOf } from './failures.ts'
import { quoted, RULES, tampered } from './named.ts'
import type { Measurement, TestCase } from './port.ts'
import { sidesOf } from './proof-sides.ts'
import type { ProofInput } from './red-proof.ts'
import { variantOfBase } from './variant.ts'

export interface BrokenTest {
  /** Full name, '' for a remark about all of them. */
  name: string
  finding: Finding
}

/**
 * The other counterfactual: the change's production files with the base's tests and everything these use. Gives the tests that fail there by
 * assertion and did not fail on the base. New test files are left out too: in one process they reach the others. Nothing is run when only
 * production files were changed, or none.
 */
export async function brokenBaseTests(input: ProofInput): Promise<BrokenTest[]> {
  const { bench } = input
  const changes = bench.request.comparison?.changes ?? []
  const judged = (it: FileChange) => bench.isTest(it.path) || input.judges.has(it.path)
  if (changes.every(judged) || !changes.some(judged)) return []
  try {
    const found: BrokenTest[] = []
    for (const command of testCommands(input.runs.filter((it) => it.measurement !== null).map((it) => it.command))) {
      const told = measurementOf(input, command)?.cases
      found.push(...(told ? await brokenIn(input, command) : await brokenByExitCode(input, command)))
    }
    return found
  } catch (error) {
    bench.request.signal.throwIfAborted()
    return [untried(error)]
  }
}

function measurementOf({ runs }: ProofInput, command: DetectedCommand): Measurement | null {
  return runs.find((it) => it.command === command)?.measurement ?? null
}

function untried(error: unknown): BrokenTest {
  const message = `Whether the base's tests still pass could not be tried: ${problemOf(error)}`
  return { name: '', finding: tampered(RULES.weakened, { file: null }, message, 'warning') }
}

async function brokenIn(input: ProofInput, command: DetectedCommand): Promise<BrokenTest[]> {
  const { bench, base, places, restored, judges } = input
  // What a build reads belongs to what it builds.
  const decides = fallsWithBuild(command) ? restored : new Set([...restored, ...judges])
  const productionOnly = (it: FileChange) => !bench.isTest(it.path) && !decides.has(it.path)
  const measurement = await measureVariant(input, command, productionOnly)
  if (measurement === null) return []
  // What fails with the change's own tests too is broken code, and told by the tests gate.
  const own = measurementOf(input, command)?.cases ?? []
  const failsAnyway = new Set(own.filter((it) => it.status === 'failed').map((it) => it.name))
  // What cannot even be loaded any more was renamed or moved; that is no lost expectation.
  const cases = measurement.cases?.filter((it) => it.failure !== 'error') ?? null
  const { tests } = failuresOf({ ...measurement, cases, findings: [] })
  const attributed = await attribute({ blocking: [...tests], tests }, await base.result(command), places, { gate: 'tests' })
  const broken = attributed.filter((it) => it.attribution === 'introduced' && !failsAnyway.has(it.rule))
  if (broken.length === 0) return []
  // A test that comes and goes is no lost expectation either.
  const again = await measureVariant(input, command, productionOnly)
  const passes = new Set(again?.cases?.filter((it) => it.status === 'passed').map((it) => it.name))
  return broken.filter((it) => !passes.has(it.rule)).map((it) => ({ name: it.rule, finding: tampered(RULES.weakened, it, messageOf(it)) }))
}

/**
 * The runner tells nothing about single tests, so a changed expectation looks like a broken one. Only where no file of the base's tests was
 * edited, and no file that a build reads, it is certain: what came with the change hides that they fail.
 */
async function brokenByExitCode(input: ProofInput, command: DetectedCommand): Promise<BrokenTest[]> {
  const { bench, base, judges } = input
  const changes = bench.request.comparison?.changes ?? []
  const unclear = changes.some(
    (it) => (it.status !== 'added' && bench.isTest(it.path)) || (judges.has(it.path) && configFileOf(it.path)?.gates.includes('build')),
  )
  if (unclear || measurementOf(input, command)?.status !== 'passed') return []
  const before = await base.result(command)
  if (!before.known || before.measurement.status !== 'passed') return []
  const productionOnly = (it: FileChange) => !bench.isTest(it.path) && !judges.has(it.path)
  for (const _ of ['once', 'again']) {
    const measurement = await measureVariant(input, command, productionOnly)
    if (measurement?.status !== 'failed') return []
  }
  const message = `The tests of the base fail with this change; ${quoted(command.command)} is green only with the tests or the configuration that it brings.`
  return [{ name: '', finding: tampered(RULES.weakened, { file: null }, message) }]
}

async function measureVariant(
  input: ProofInput,
  command: DetectedCommand,
  pick: (change: FileChange) => boolean,
): Promise<Measurement | null> {
  const { bench, runs } = input
  const scratch = await variantOfBase(bench, pick)
  try {
    const builds = needsBuild(command) ? runs.filter((it) => it.command.gate === 'build') : []
    for (const { command: build } of builds) await bench.measure(build, scratch, 'proof')
    const measurement = await bench.measure(command, scratch, 'proof')
    return measurement.environmental || measurement.status === 'not_run' ? null : measurement
  } finally {
    await scratch.dispose()
  }
}

function messageOf(it: Finding): string {
  return `The test ${quoted(it.rule)} passes only with the edited tests; as they stood on the base it fails with this change: ${it.message}`
}

/**
 * For features and bug fixes, where expectations may change: a test of the base that fails with the change, and that was edited so that it
 * passes whether the change is there or not. An expectation that truly changed fails without the change. Edited are its text, its file (a mock),
 * what it uses (helpers, set-up), or the configuration that runs it.
 */
export async function softenedTests(input: ProofInput): Promise<Finding[]> {
  const broken = await brokenBaseTests(input)
  if (broken.every(({ name }) => name === '')) return broken.map(({ finding }) => finding)
  try {
    const without = await outcomesWithout(input)
    return broken.flatMap((it) => softened(input, it, without.get(it.name)))
  } catch (error) {
    input.bench.request.signal.throwIfAborted()
    return [untried(error).finding]
  }
}

/** What the tests do as they are now, with the base's production files. */
async function outcomesWithout(input: ProofInput): Promise<Map<string, TestCase>> {
  const sides = sidesOf(input.bench, input.restored)
  const found = new Map<string, TestCase>()
  for (const command of testCommands(input.runs.filter((it) => it.measurement?.cases).map((it) => it.command))) {
    const measured = await measureVariant(input, command, (it) => sides.withTests(it))
    for (const it of measured?.cases ?? []) if (found.get(it.name)?.status !== 'failed') found.set(it.name, it)
  }
  return found
}

function softened({ bench }: ProofInput, { name, finding }: BrokenTest, without: TestCase | undefined): Finding[] {
  if (name === '' || without?.status === 'passed') return [finding]
  if (without?.status === 'failed' && without.failure !== 'error') return []
  // It could not run there. In a file that was edited its expectation may have changed; where nothing of it was, something else answers for it.
  const edited = bench.request.comparison?.changes.some((it) => it.path === finding.file) ?? false
  return [edited ? { ...finding, severity: 'warning' } : finding]
}
