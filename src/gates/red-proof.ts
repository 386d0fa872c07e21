import { problemOf } from '../core/errors.ts'
import type { RedProof } from '../core/verdict.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import type { BaseResults } from './base-results.ts'
import type { Bench } from './bench.ts'
import { needsBuild, testCommands } from './command-kinds.ts'
import { lineChanges } from './lines.ts'
import { languageOf } from './outline/outline.ts'
import type { Places } from './places.ts'
import type { Measurement } from './port.ts'
import { namesMissing, type ProofCases, sortCases } from './proof-cases.ts'
import { type Sides, sidesOf } from './proof-sides.ts'
import type { GateRun } from './run-gate.ts'
import { graftRustTests } from './rust-tests.ts'
import type { FileTests } from './test-pairs.ts'
import { variantOfBase } from './variant.ts'

export interface ProofInput {
  bench: Bench
  runs: readonly GateRun[]
  files: readonly FileTests[]
  base: BaseResults
  places: Places
  /** Configuration that judges as the base has it. */
  restored: ReadonlySet<string>
  /** Configuration of the tests that the change brings or edits. */
  judges: ReadonlySet<string>
}

/**
 * The counterfactual proof of a feature or bug fix: the production files are put back to the base in a scratch checkout, and the new and changed
 * tests must fail there and pass with the change. Never throws for what the project does.
 */
export async function redProof(input: ProofInput): Promise<RedProof> {
  const { bench } = input
  const { task, comparison } = bench.request
  if (!comparison) return proof('not_run', 'There is no base to compare with.')
  if (comparison.changes.length === 0) return proof('refuted', 'Nothing was changed.')
  const sides = sidesOf(bench, input.restored)
  const rust = input.files.filter((it) => it.path.endsWith('.rs') && !bench.isTest(it.path) && hasNews(it))
  const files = [...new Set([...sides.tests.map((it) => it.path), ...rust.map((it) => it.path)])].toSorted()
  if (files.length === 0) return proof('refuted', `A ${task.kind} needs new or changed tests, and there are none.`)

  const commands = testCommands(input.runs.map((it) => it.command))
  const [first, ...others] = commands.filter((it) => measured(input, it) !== null)
  if (!first) return proof('not_run', 'The project has no tests command that could run.', files)
  try {
    const proofs: RedProof[] = []
    for (const command of [first, ...others]) proofs.push(await proveWith(input, sides, files, command))
    return merged(proofs)
  } catch (error) {
    bench.request.signal.throwIfAborted()
    return proof('not_run', `The proof could not be made: ${problemOf(error)}`, files)
  }
}

function measured(input: ProofInput, command: DetectedCommand): Measurement | null {
  const run = input.runs.find((it) => it.command === command)
  const usable = run?.measurement && run.measurement.status !== 'not_run' && !run.measurement.environmental
  return usable ? run.measurement : null
}

async function proveWith(input: ProofInput, sides: Sides, files: string[], command: DetectedCommand): Promise<RedProof> {
  const { bench } = input
  const change = measured(input, command)
  if (!change) return proof('not_run', 'The tests could not run with the change.', files)
  const scratch = await variantOfBase(bench, (it) => sides.withTests(it))
  try {
    await graftRustTests(bench, scratch, files)
    const build = !needsBuild(command) ? [] : input.runs.filter((it) => it.command.gate === 'build').map((it) => it.command)
    for (const it of build) {
      const built = await bench.measure(it, scratch, 'proof')
      if (built.status === 'failed') return await brokenBuild(bench, files, change, built, sides)
    }
    const without = await bench.measure(command, scratch, 'proof', runnable(input, files))
    return await decide(input, sides, files, command, change, without)
  } finally {
    await scratch.dispose()
  }
}

/** Helpers and fixtures go along but are not run; where nobody can tell them from tests, they are. */
function runnable(input: ProofInput, files: readonly string[]): readonly string[] {
  const holdsTests = new Set(input.files.map((it) => it.path))
  const tests = files.filter((it) => holdsTests.has(it) || languageOf(it) === null)
  return tests.length > 0 ? tests : files
}

async function decide(
  input: ProofInput,
  sides: Sides,
  files: string[],
  command: DetectedCommand,
  change: Measurement,
  without: Measurement,
): Promise<RedProof> {
  if (without.status === 'not_run' || without.environmental) {
    return proof('not_run', `The tests could not run without the change: ${without.problem || 'the tool did not start'}.`, files)
  }
  if (change.cases === null) return byExitCode(input, files, command, change, without)
  const base = await input.base.result(command)
  const cases = sortCases({
    change: change.cases,
    proof: without,
    base: base.known && base.measurement.cases ? new Set(base.measurement.cases.map((it) => it.name)) : null,
    files: input.files,
    judged: new Set(files),
    brought: await broughtBy(input.bench, sides),
  })
  return concluded(files, cases)
}

function concluded(files: string[], cases: ProofCases): RedProof {
  const red = [...cases.red, ...cases.missing]
  const total = red.length + cases.vacuous.length + cases.notGreen.length + cases.unclear.length
  const result = { files, red, vacuous: cases.vacuous }
  const by =
    cases.missing.length === 0
      ? ''
      : cases.red.length === 0
        ? ' (red by missing symbol)'
        : ` (${cases.missing.length} red by missing symbol)`
  if (total === 0) return { ...result, status: 'refuted', reason: 'The changed test files hold no new or changed test that runs.' }
  if (red.length > 0) {
    const rest =
      cases.vacuous.length > 0
        ? ` ${cases.vacuous.length} ${cases.vacuous.length === 1 ? 'passes' : 'pass'} without it too and prove nothing.`
        : ''
    const one = red.length === 1
    return {
      ...result,
      status: 'proved',
      reason: `${red.length} of ${total} new or changed ${total === 1 ? 'test' : 'tests'} ${one ? 'fails' : 'fail'} without the change and ${one ? 'passes' : 'pass'} with it${by}.${rest}`,
    }
  }
  if (cases.notGreen.length === total) {
    return { ...result, status: 'refuted', reason: `No new or changed test passes with the change: ${names(cases.notGreen)}.` }
  }
  if (cases.vacuous.length > 0) {
    return {
      ...result,
      status: 'refuted',
      reason: `The new or changed tests pass without the change too, so they prove nothing: ${names(cases.vacuous)}.`,
    }
  }
  return {
    ...result,
    status: 'not_run',
    reason: `The new or changed tests did not run without the change, for a reason that the change does not explain: ${names(cases.unclear)}.`,
  }
}

/** The runner tells nothing about single tests: then the command as a whole must turn from red to green. */
async function byExitCode(
  input: ProofInput,
  files: string[],
  command: DetectedCommand,
  change: Measurement,
  without: Measurement,
): Promise<RedProof> {
  const told = 'its runner tells nothing about single tests, so the exit code counts'
  if (change.environmental) return proof('not_run', `The tests could not run with the change: ${change.problem}`, files)
  if (change.status === 'failed') return proof('refuted', `The tests do not pass with the change (${told}).`, files)
  if (without.status !== 'failed') return { ...proof('refuted', `The tests pass without the change too (${told}).`, files), vacuous: files }
  const base = await input.base.result(command)
  if (!base.known || base.measurement.status === 'failed') {
    return proof('not_run', `The tests fail on the base already, so nothing can be told from their failing (${told}).`, files)
  }
  return { ...proof('proved', `The tests fail without the change and pass with it (${told}).`, files), red: files }
}

/** With the base's production files nothing builds: a proof only when the compiler misses what the change brings. */
async function brokenBuild(bench: Bench, files: string[], change: Measurement, built: Measurement, sides: Sides): Promise<RedProof> {
  if (built.environmental) return proof('not_run', `The tests could not be built without the change: ${built.problem}`, files)
  const brought = await broughtBy(bench, sides)
  const messages = [...built.findings.map((it) => it.message), built.outputTail]
  if (change.status === 'failed') return proof('refuted', 'The tests do not pass with the change.', files)
  if (!messages.some((it) => namesMissing(it, brought))) {
    return proof('not_run', 'Without the change the tests do not build, for a reason that the change does not explain.', files)
  }
  return {
    ...proof('proved', 'Without the change the tests do not build and with it they pass (red by missing symbol).', files),
    red: files,
  }
}

/** Words that the change brings to the production side: names in lines that came, and names of files that came. */
async function broughtBy(bench: Bench, sides: Sides): Promise<Set<string>> {
  const words = new Set<string>()
  for (const { path, status, opaque } of sides.production) {
    if (status === 'deleted' || opaque) continue
    const before = status === 'added' ? null : await bench.atBase(path)
    if (status === 'added') for (const word of path.match(/[A-Za-z_$][\w$-]*/g) ?? []) words.add(word)
    const old = new Set(before?.match(/[A-Za-z_$][\w$]*/g))
    const { added } = lineChanges(before, await bench.here(path))
    for (const word of added.join('\n').match(/[A-Za-z_$][\w$]*/g) ?? []) if (!old.has(word)) words.add(word)
  }
  for (const common of ['src', 'lib', 'js', 'ts', 'py', 'index', 'main', 'mod', 'cc', 'cpp', 'h', 'hpp', 'go', 'rs', 'java', 'rb', 'ex'])
    words.delete(common)
  return words
}

const hasNews = (it: FileTests): boolean => it.fresh.length > 0 || it.pairs.some(({ before, after }) => before.text !== after.text)

function proof(status: RedProof['status'], reason: string, files: string[] = []): RedProof {
  return { status, reason, files, red: [], vacuous: [] }
}

const ORDER: readonly RedProof['status'][] = ['proved', 'refuted', 'not_run', 'not_needed']

/** Several tests commands, each with its own tests: one proof is enough, and all that is vacuous is named. */
function merged(proofs: readonly RedProof[]): RedProof {
  const best = ORDER.map((status) => proofs.find((it) => it.status === status)).find((it) => it !== undefined)
  const red = [...new Set(proofs.flatMap((it) => it.red))]
  return {
    status: best?.status ?? 'not_run',
    reason: best?.reason ?? '',
    files: best?.files ?? [],
    red,
    vacuous: [...new Set(proofs.flatMap((it) => it.vacuous))].filter((it) => !red.includes(it)),
  }
}

function names(list: readonly string[]): string {
  const shown = list.slice(0, 5).map((it) => `"${it}"`)
  return `${shown.join(', ')}${list.length > 5 ? ` and ${list.length - 5} more` : ''}`
}
