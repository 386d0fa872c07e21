import { problemOf } from '../core/errors.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import type { Scratch } from '../workspace/port.ts'
import type { Bench } from './bench.ts'
import { cacheKey, readCached, type StoredMeasurement, writeCached } from './cache.ts'
import { needsBuild } from './command-kinds.ts'
import type { Measurement, TestCase } from './port.ts'

/** What a command says on the base, or why nobody knows. */
export type BaseResult = { known: true; measurement: StoredMeasurement } | { known: false; reason: string }

/** Measures the base only when asked, once per command, and keeps the results on disk. */
export interface BaseResults {
  checkout(): Promise<Scratch>
  result(command: DetectedCommand): Promise<BaseResult>
  /** What is known already, without measuring. */
  known(command: DetectedCommand): BaseResult | null
  dispose(): Promise<void>
}

// Of a failing test's message; the whole output belongs to the change, not to the base.
const MAX_MESSAGE = 2000

/** `commands` are all that will be judged: the build among them is run first on the base where another gate needs what it makes. */
export function openBaseResults(bench: Bench, commands: () => readonly DetectedCommand[]): BaseResults {
  const { comparison } = bench.request
  let scratch: Promise<Scratch> | null = null
  const results = new Map<string, BaseResult>()
  let built: Promise<void> | null = null

  const checkout = (): Promise<Scratch> => {
    if (!comparison) throw new Error('there is no base to check out')
    scratch ??= comparison.cleanCheckout?.() ?? comparison.baseCheckout()
    return scratch
  }
  const buildFirst = async (at: Scratch): Promise<void> => {
    for (const build of commands().filter((it) => it.gate === 'build')) await bench.measure(build, at, 'base')
  }
  const measureFresh = async (command: DetectedCommand): Promise<{ measurement: Measurement; cases: TestCase[] | null }> => {
    const at = await checkout()
    if (needsBuild(command)) await (built ??= buildFirst(at))
    const measurement = await bench.measure(command, at, 'base')
    return { measurement, cases: await settled(bench, command, at, measurement) }
  }
  const load = async (command: DetectedCommand): Promise<BaseResult> => {
    if (!comparison) return { known: false, reason: 'there is no base to compare with' }
    const key = await keyOf(bench, command, comparison.baseTree)
    const cached = await readCached(bench.request.cacheDir, key)
    if (cached) return { known: true, measurement: cached }
    try {
      const { measurement, cases } = await measureFresh(command)
      if (measurement.environmental || measurement.status === 'not_run') {
        return { known: false, reason: `the base could not be measured: ${measurement.problem || 'the command could not run there'}` }
      }
      const kept = stored(measurement, cases)
      await writeCached(bench.request.cacheDir, key, kept)
      return { known: true, measurement: kept }
    } catch (error) {
      bench.request.signal.throwIfAborted()
      return { known: false, reason: `the base could not be measured: ${problemOf(error)}` }
    }
  }
  return {
    checkout,
    async result(command) {
      const id = idOf(command)
      const result = results.get(id) ?? (await load(command))
      results.set(id, result)
      return result
    },
    known: (command) => results.get(idOf(command)) ?? null,
    async dispose() {
      const opened = await scratch?.catch(() => null)
      await opened?.dispose()
    },
  }
}

function idOf(command: DetectedCommand): string {
  return `${command.gate}\n${command.cwd}\n${command.argv.join('\n')}`
}

async function keyOf(bench: Bench, command: DetectedCommand, baseTree: string): Promise<string> {
  const { checkout } = bench.request
  return cacheKey({
    baseTree,
    argv: command.argv,
    cwd: command.cwd,
    env: command.env ?? {},
    prepare: command.prepare ?? [],
    buildFolder: command.buildFolder ?? null,
    report: command.report,
    gate: command.gate,
    tool: command.tool,
    targetDir: checkout.targetDir,
    setup: bench.request.settings.project.setup,
    version: (await bench.parts.toolVersion?.(command, checkout)) ?? '',
    // What a sandbox forbids fails at one level and not at another.
    isolation: checkout.confinement?.level ?? 'none',
    limits: bench.request.settings.sandbox.limits,
    platform: [process.platform, process.arch, process.version],
  })
}

/** A test that fails on the base once by chance would excuse every later failure of it: what fails is run once more, and passing counts. */
async function settled(bench: Bench, command: DetectedCommand, at: Scratch, measurement: Measurement): Promise<TestCase[] | null> {
  const failed = measurement.cases?.filter((it) => it.status === 'failed') ?? []
  if (failed.length === 0 || measurement.environmental) return measurement.cases
  const files = [...new Set(failed.map((it) => it.file))]
  const selected = files.filter((it) => it !== null)
  const again = await bench.measure(command, at, 'base', selected.length === files.length ? selected : undefined)
  const passed = new Set(again.cases?.filter((it) => it.status === 'passed').map((it) => it.name))
  return (
    measurement.cases?.map((it) => (it.status === 'failed' && passed.has(it.name) ? { ...it, status: 'passed', failure: null } : it)) ??
    null
  )
}

function stored(measurement: Measurement, cases: TestCase[] | null): StoredMeasurement {
  return {
    status: measurement.status,
    exitCode: measurement.exitCode,
    durationMs: measurement.durationMs,
    findings: measurement.findings.map((it) => ({ ...it, message: it.message.slice(0, MAX_MESSAGE) })),
    cases: cases?.map((it) => ({ ...it, message: it.message.slice(0, MAX_MESSAGE) })) ?? null,
  }
}
