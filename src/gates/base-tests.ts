import { problemOf } from '../core/errors.ts'
import type { Finding } from '../core/verdict.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import { attribute } from './attribution.ts'
import { needsBuild, testCommands } from './command-kinds.ts'
import { failuresOf } from './failures.ts'
import { quoted, RULES, tampered } from './named.ts'
import { nameFits } from './proof-cases.ts'
import type { ProofInput } from './red-proof.ts'
import { variantOfBase } from './variant.ts'

export interface BrokenTest {
  /** Full name, '' for a remark about all of them. */
  name: string
  finding: Finding
}

/**
 * The other counterfactual: the change's production files with the base's tests and everything these use. Gives the tests that fail there by
 * assertion and did not fail on the base. Nothing is run when no file of the tests was edited.
 */
export async function brokenBaseTests(input: ProofInput): Promise<BrokenTest[]> {
  const { bench } = input
  const changes = bench.request.comparison?.changes ?? []
  const edited = changes.some((it) => it.status !== 'added' && bench.isTest(it.path))
  const production = changes.some((it) => !bench.isTest(it.path))
  if (!edited || !production) return []
  const commands = testCommands(input.runs.filter((it) => it.measurement?.cases).map((it) => it.command))
  try {
    const found: BrokenTest[] = []
    for (const command of commands) found.push(...(await brokenIn(input, command)))
    return found
  } catch (error) {
    bench.request.signal.throwIfAborted()
    const message = `Whether the base's tests still pass could not be tried: ${problemOf(error)}`
    return [{ name: '', finding: tampered(RULES.weakened, { file: null }, message, 'warning') }]
  }
}

async function brokenIn({ bench, base, places, runs, restored }: ProofInput, command: DetectedCommand): Promise<BrokenTest[]> {
  const scratch = await variantOfBase(bench, (it) => !bench.isTest(it.path) && !restored.has(it.path))
  try {
    const builds = needsBuild(command) ? runs.filter((it) => it.command.gate === 'build') : []
    for (const { command: build } of builds) await bench.measure(build, scratch, 'proof')
    const measurement = await bench.measure(command, scratch, 'proof')
    if (measurement.environmental || measurement.status === 'not_run') return []
    // What fails with the change's own tests too is broken code, and told by the tests gate.
    const own = runs.find((it) => it.command === command)?.measurement?.cases ?? []
    const failsAnyway = new Set(own.filter((it) => it.status === 'failed').map((it) => it.name))
    // What cannot even be loaded any more was renamed or moved; that is no lost expectation.
    const cases = measurement.cases?.filter((it) => it.failure !== 'error') ?? null
    const { tests } = failuresOf({ ...measurement, cases, findings: [] })
    const attributed = await attribute({ blocking: [...tests], tests }, await base.result(command), places, { gate: 'tests' })
    return attributed
      .filter((it) => it.attribution === 'introduced' && !failsAnyway.has(it.rule))
      .map((it) => ({ name: it.rule, finding: tampered(RULES.weakened, it, messageOf(it)) }))
  } finally {
    await scratch.dispose()
  }
}

function messageOf(it: Finding): string {
  return `The test ${quoted(it.rule)} passes only with the edited tests; as they stood on the base it fails with this change: ${it.message}`
}

/**
 * For features and bug fixes, where expectations may change: tests that stand there as before, and pass only because what they use (helpers,
 * fixtures, set-up) was edited.
 */
export async function brokenByHelpers(input: ProofInput): Promise<Finding[]> {
  const { bench, files } = input
  const holdsTests = new Set(files.map((it) => it.path))
  const changes = bench.request.comparison?.changes ?? []
  if (!changes.some((it) => it.status !== 'added' && bench.isTest(it.path) && !holdsTests.has(it.path))) return []
  const edited = files.flatMap((it) => [
    ...it.gone,
    ...it.pairs.filter(({ before, after }) => before.text !== after.text).map(({ before }) => before),
  ])
  const broken = await brokenBaseTests(input)
  const isEdited = (name: string): boolean => edited.some((it) => nameFits(it.title, name))
  return broken.filter(({ name }) => !isEdited(name)).map(({ finding }) => finding)
}
