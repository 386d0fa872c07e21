import { access, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { ProgramResult } from '../process/port.ts'
import { runProgram } from '../process/run-program.ts'
import { which } from '../process/which.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import { isFolder } from '../workspace/folders.ts'
import type { Checkout } from '../workspace/port.ts'
import type { Finding, Measure, Measurement, MeasureOptions, TestCase } from './port.ts'
import { NOTHING, type ReaderInput, type Reading } from './reports/reading.ts'
import { makeBuildFolder } from './tools/build-folder.ts'
import { decide } from './tools/decide.ts'
import { environmentalCause } from './tools/environmental.ts'
import { expandArgv } from './tools/expand.ts'
import { loadExtra, loadReports, loadUsual } from './tools/load-reports.ts'
import { places } from './tools/place.ts'
import { isUnknown, readBroken, readerFor, withoutTests } from './tools/readers.ts'
import { searchPath } from './tools/search-path.ts'
import { supportFiles } from './tools/support-files.ts'

/** Characters at the end of the output that are kept for people. */
const TAIL = 4000
/** Of each stream: a large suite's JSON lines on standard output must arrive whole. */
const KEEP_BYTES = 32 * 1024 * 1024

interface Bench {
  command: DetectedCommand
  checkout: Checkout
  options: MeasureOptions
  /** Absolute folder the command runs in. */
  folder: string
  reportFolder: string
  env: Readonly<Record<string, string>>
  began: number
}

function blank(command: DetectedCommand): Measurement {
  return {
    gate: command.gate,
    tool: command.tool,
    command: command.command,
    cwd: command.cwd,
    reason: command.reason,
    status: 'not_run',
    problem: '',
    exitCode: null,
    durationMs: 0,
    findings: [],
    cases: null,
    coverage: null,
    outputTail: '',
    environmental: false,
  }
}

/** Unknown commands are led to write reports where their runner listens to the environment. */
function led(command: DetectedCommand, env: Readonly<Record<string, string>>): Record<string, string> {
  if (!isUnknown(command)) return {}
  const options = env['PYTEST_ADDOPTS']
  return {
    GTEST_OUTPUT: 'xml:{report}/gtest/',
    PYTEST_ADDOPTS: `${options === undefined ? '' : `${options} `}--junitxml={report}/pytest.xml -o junit_family=xunit1`,
  }
}

function environment(command: DetectedCommand, checkout: Checkout, folder: string, reportFolder: string): Record<string, string> {
  const all = { NO_COLOR: '1', ...checkout.env, PATH: searchPath(command, checkout, folder), ...led(command, checkout.env), ...command.env }
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, value.replaceAll('{report}', reportFolder)]))
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

/** A file that a tool needs, in the folder or above it up to the root of the checkout. */
async function existsAbove(path: string, folder: string, root: string): Promise<boolean> {
  if (await exists(join(folder, path))) return true
  return folder !== root && folder.startsWith(`${root}/`) ? await existsAbove(path, dirname(folder), root) : false
}

/** The sentence about what is missing before anything is started; null when all is there. */
async function missingNeed(it: Bench): Promise<string | null> {
  const { needs } = it.command
  if (needs === null) return null
  const { program, hint } = needs
  const found =
    program.includes('/') && !program.startsWith('/')
      ? await existsAbove(program, it.folder, it.checkout.path)
      : (await which(program, it.env['PATH'] ?? '')) !== null
  return found ? null : `${program} was not found. ${hint}`
}

async function execute(it: Bench, argv: readonly [string, ...string[]]): Promise<ProgramResult> {
  const { command, options, checkout } = it
  const { onOutput, onlyTests } = options
  const left = options.timeoutMs - (Date.now() - it.began)
  return await runProgram({
    argv: await expandArgv(command, argv, { folder: it.folder, reportFolder: it.reportFolder, onlyTests }),
    cwd: it.folder,
    env: it.env,
    ...(checkout.confinement === undefined ? {} : { confinement: checkout.confinement }),
    timeoutMs: Math.max(1, left),
    keepBytes: KEEP_BYTES,
    signal: options.signal,
    ...(onOutput ? { onOutput: (chunk: { text: string }) => onOutput(chunk.text) } : {}),
    ...(checkout.run === undefined ? {} : { run: checkout.run }),
  })
}

/** Runs the steps before the command and the command. The result is that of the step that broke it, or the command's own. */
async function runAll(it: Bench): Promise<{ result: ProgramResult; complete: boolean }> {
  let tolerated: ProgramResult | null = null
  for (const step of it.command.prepare ?? []) {
    const result = await execute(it, step.argv)
    const failed = result.ended !== 'exited' || result.exitCode !== 0
    if (failed && !(step.mayFail === true && result.ended === 'exited')) return { result, complete: false }
    if (failed) tolerated ??= result
  }
  const result = await execute(it, it.command.argv)
  if (tolerated === null || result.ended !== 'exited' || result.exitCode !== 0) return { result, complete: true }
  const { exitCode, problem, stdout, stderr } = tolerated
  return {
    result: { ...result, exitCode, problem, stdout: `${stdout}\n${result.stdout}`, stderr: `${stderr}\n${result.stderr}` },
    complete: true,
  }
}

/** Some tools name files from another folder than the one they run in: where a file is not there, the root of the checkout is tried. */
async function settleFiles<T extends { file: string | null; line: number | null }>(it: Bench, all: readonly T[]): Promise<T[]> {
  const known = new Map<string, string | null>()
  const { cwd } = it.command
  for (const { file } of all) {
    if (file === null || known.has(file)) continue
    const candidates = cwd === '.' ? [file] : [file, relative(cwd, file)]
    let settled: string | null = null
    for (const path of candidates)
      if (settled === null && !path.startsWith('..') && (await exists(join(it.checkout.path, path)))) settled = path
    known.set(file, settled)
  }
  return all.map((one) => {
    const file = one.file === null ? null : (known.get(one.file) ?? null)
    return file === one.file ? one : { ...one, file, line: file === null ? null : one.line }
  })
}

/** Reads what the command left: its reports, its output. A reader that breaks on them is a broken report, not a crash. */
async function read(it: Bench, result: ProgramResult, complete: boolean, places: Pick<ReaderInput, 'place' | 'clean'>): Promise<Reading> {
  const { command } = it
  const loaded = complete ? await loadReports(command, it.folder, it.reportFolder, it.began) : { files: [], problem: null }
  const usual = isUnknown(command) ? await loadUsual(it.folder, it.began) : []
  const input: ReaderInput = {
    stdout: result.stdout,
    stderr: result.stderr,
    exitCode: result.exitCode,
    env: command.env ?? {},
    reportPath: command.report?.path ?? null,
    reports: [...loaded.files, ...usual],
    extra: await loadExtra(it.reportFolder),
    ...places,
  }
  try {
    const reading = withoutTests(command, result, (complete ? readerFor(command) : readBroken(command))(input))
    const findings: Finding[] = await settleFiles(it, reading.findings)
    const cases: TestCase[] | null = reading.cases && (await settleFiles(it, reading.cases))
    const printed = command.report !== null && command.report.path === null && command.report.format !== 'exit-code'
    const cut = result.dropped > 0 && printed ? 'Its output was too long to be read whole.' : null
    return { ...reading, findings, cases, problem: reading.problem ?? loaded.problem ?? cut }
  } catch (error) {
    return { ...NOTHING, problem: `Its report could not be read: ${problemOf(error)}` }
  }
}

function tailOf(result: ProgramResult, clean: (text: string) => string): string {
  const both = [result.stdout, result.stderr].map((it) => it.slice(-TAIL).trim()).filter((it) => it !== '')
  return clean(both.join('\n')).slice(-TAIL)
}

async function measureIn(it: Bench, roots: readonly string[]): Promise<Measurement> {
  const { command } = it
  const start = blank(command)
  const missing = await missingNeed(it)
  if (missing !== null) return { ...start, problem: missing }
  for (const [name, content] of supportFiles(command)) await writeFile(join(it.reportFolder, name), content)
  await makeBuildFolder(it.folder, command)

  const { result, complete } = await runAll(it)
  const at = places(roots, command.cwd, [it.reportFolder])
  const reading = await read(it, result, complete, at)
  const decision = decide(command, result, reading)
  const cause = decision.status === 'failed' ? environmentalCause(result, reading.cases) : null
  return {
    ...start,
    status: decision.status,
    problem: at.clean(cause ?? decision.problem),
    exitCode: result.exitCode,
    durationMs: Date.now() - it.began,
    findings: decision.findings.map((one) => ({ ...one, message: at.clean(one.message) })),
    cases: reading.cases,
    coverage: reading.coverage,
    outputTail: tailOf(result, at.clean),
    environmental: cause !== null,
  }
}

/** In the run's own folder for temporary files where it has one, so that it goes with the run when nobody else removes it. */
async function makeReportFolder(checkout: Checkout): Promise<string> {
  const own = checkout.env['TMPDIR']
  // A program may have put a link in its place, which would lead us elsewhere.
  const usable = own !== undefined && !own.startsWith(`${checkout.path}/`) && (await isFolder(own))
  return await realpath(await mkdtemp(join(usable ? own : tmpdir(), 'reeve-report-')))
}

/**
 * Runs one detected command once and says what came out, judging nothing against a base. Reports go into a private folder outside the checkout
 * that is removed at the end. Never throws for what the program does; throws only when the folder for reports cannot be made.
 */
export const measure: Measure = async (command, checkout, options) => {
  const reportFolder = await makeReportFolder(checkout)
  try {
    const folder = join(checkout.path, command.cwd)
    const root = await realpath(checkout.path).catch(() => checkout.path)
    const real = await realpath(folder).catch(() => null)
    if (real === null) return { ...blank(command), problem: `There is no folder "${command.cwd}" in the project.` }
    if (real !== root && !real.startsWith(`${root}/`))
      return { ...blank(command), problem: `The folder "${command.cwd}" is outside the project.` }
    const env = environment(command, checkout, folder, reportFolder)
    return await measureIn({ command, checkout, options, folder, reportFolder, env, began: Date.now() }, [checkout.path, root])
  } catch (error) {
    // It says nothing about the program, so it must never look like a failure of it.
    if (error instanceof ReeveError && error.code === 'sandbox_failed') return { ...blank(command), problem: error.message }
    throw error
  } finally {
    await rm(reportFolder, { recursive: true, force: true, maxRetries: 3 })
  }
}
