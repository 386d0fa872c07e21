import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { settingsSchema } from '../../src/core/settings.ts'
import type { Task, TaskKind } from '../../src/core/task.ts'
import type { JudgeParts } from '../../src/gates/bench.ts'
import { createJudge } from '../../src/gates/judge.ts'
import type { Finding, GateEvent, JudgeRequest, Measurement, TestCase, Verdict } from '../../src/gates/port.ts'
import type { DetectedCommand } from '../../src/scanner/port.ts'
import { isTestFile } from '../../src/scanner/test-layout.ts'
import type { Checkout, FileChange, Scratch } from '../../src/workspace/port.ts'
import { temporaryFolder, writeFiles } from './folder.ts'

export type Files = Readonly<Record<string, string>>

/** What a fake command sees when it runs. */
export interface Sight {
  gate: string
  /** Files of the checkout it runs in. */
  files: Record<string, string>
  /** How often this gate has run before, anywhere. */
  runs: number
  /** Whether it runs in the workspace, not in a scratch. */
  inWorkspace: boolean
  onlyTests: readonly string[] | undefined
}

export interface World {
  base: Files
  change: Files
  kind?: TaskKind
  depth?: 'quick' | 'full'
  acceptance?: Task['acceptance']
  settings?: Record<string, unknown>
  commands?: (files: Record<string, string>) => DetectedCommand[]
  /** What each gate says; default: passed. */
  measure: (sight: Sight) => Partial<Measurement>
  protectedFiles?: Record<string, string>
  /** No base to compare with. */
  alone?: boolean
  cacheDir?: string
  signal?: AbortSignal
  baseCheckout?: () => Promise<Scratch>
  cleanCheckout?: () => Promise<Scratch>
}

export interface Judged {
  verdict: Verdict
  events: GateEvent[]
  /** Each time a command ran: gate and place. */
  ran: string[]
  /** Scratches that were not disposed. */
  open: number
}

export function fakeCommand(gate: string, parts: Partial<DetectedCommand> = {}): DetectedCommand {
  return {
    gate,
    tool: gate === 'tests' ? 'vitest' : gate,
    argv: [gate],
    command: `run ${gate}`,
    cwd: '.',
    reason: `script "${gate}"`,
    needs: null,
    report: { format: 'junit', path: null },
    ...parts,
  }
}

export function fakeCase(name: string, status: TestCase['status'] = 'passed', parts: Partial<TestCase> = {}): TestCase {
  const file = name.includes(' > ') ? (name.split(' > ')[0] ?? null) : null
  const failure = status === 'failed' ? 'assertion' : null
  return { name, file, line: 1, status, failure, message: status === 'failed' ? 'expected 1 to be 2' : '', ...parts }
}

export function readFolder(root: string): Record<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((it) => it.isFile())
  return Object.fromEntries(
    entries.map((it) => [relative(root, join(it.parentPath, it.name)), readFileSync(join(it.parentPath, it.name), 'utf8')]),
  )
}

export function changesOf(base: Files, change: Files): FileChange[] {
  const paths = [...new Set([...Object.keys(base), ...Object.keys(change)])].toSorted()
  return paths.flatMap((path): FileChange[] => {
    if (base[path] === change[path]) return []
    const status = base[path] === undefined ? 'added' : change[path] === undefined ? 'deleted' : 'modified'
    return [{ path, status, opaque: false, added: 1, removed: 1 }]
  })
}

/** Judges a change in a world of files on disk and commands that only pretend. */
export async function judgeWorld(world: World): Promise<Judged> {
  const root = temporaryFolder()
  const path = join(root, 'workspace')
  mkdirSync(path)
  writeFiles(path, world.change)
  const checkout: Checkout = { path, targetDir: '.', env: {} }
  let open = 0
  const ran: string[] = []
  const events: GateEvent[] = []
  const counts = new Map<string, number>()

  const baseCheckout = async (): Promise<Scratch> => {
    const at = join(root, `scratch-${open}-${ran.length}-${events.length}-${Math.random()}`)
    await mkdir(at)
    writeFiles(at, world.base)
    open += 1
    return {
      path: at,
      targetDir: '.',
      env: {},
      commit: 'base',
      async put(file, content) {
        if (content === null) return rm(join(at, file), { force: true })
        await mkdir(dirname(join(at, file)), { recursive: true })
        await writeFile(join(at, file), content)
      },
      async dispose() {
        open -= 1
        await rm(at, { recursive: true, force: true })
      },
    }
  }
  const parts: JudgeParts = {
    isTestFile,
    detect: (at) => Promise.resolve((world.commands ?? (() => [fakeCommand('tests')]))(readFolder(at.path))),
    measure: (command, at, options) => {
      const runs = counts.get(command.gate) ?? 0
      counts.set(command.gate, runs + 1)
      const inWorkspace = at.path === path
      ran.push(`${command.gate} in ${inWorkspace ? 'workspace' : 'scratch'}`)
      const said = world.measure({ gate: command.gate, files: readFolder(at.path), runs, inWorkspace, onlyTests: options.onlyTests })
      return Promise.resolve({ ...blank(command), ...statusBy(said), ...said })
    },
  }
  const request: JudgeRequest = {
    checkout,
    comparison: world.alone
      ? null
      : {
          base: 'base',
          baseTree: 'tree-of-base',
          changes: changesOf(world.base, world.change),
          fileAtBase: (file) => Promise.resolve(world.base[file] ?? null),
          filesAtBase: () => Promise.resolve(Object.keys(world.base)),
          baseCheckout: world.baseCheckout ?? baseCheckout,
          ...(world.cleanCheckout === undefined ? {} : { cleanCheckout: world.cleanCheckout }),
        },
    settings: settingsSchema.parse(world.settings ?? {}),
    task: { kind: world.kind ?? 'chore', acceptance: world.acceptance ?? {} },
    tree: 'tree-of-change',
    depth: world.depth ?? 'quick',
    protectedFiles: Object.keys(world.protectedFiles ?? {}),
    protectedContent: (file) => Promise.resolve(world.protectedFiles?.[file] ?? null),
    cacheDir: world.cacheDir ?? join(root, 'cache'),
    timeoutMs: 1000,
    signal: world.signal ?? new AbortController().signal,
    emit: (event) => events.push(event),
  }
  const verdict = await createJudge(parts)(request)
  return { verdict, events, ran, open }
}

function statusBy(said: Partial<Measurement>): Partial<Measurement> {
  const failed =
    said.cases?.some((it) => it.status === 'failed') || said.cases?.length === 0 || said.findings?.some((it) => it.severity === 'error')
  return failed ? { status: 'failed', exitCode: 1 } : {}
}

function blank(command: DetectedCommand): Measurement {
  const { gate, tool, command: line, cwd, reason } = command
  return {
    gate,
    tool,
    command: line,
    cwd,
    reason,
    status: 'passed',
    problem: '',
    exitCode: 0,
    durationMs: 5,
    findings: [],
    cases: null,
    coverage: null,
    outputTail: '',
    environmental: false,
  }
}

/** A finding of a linter. */
export const remark = (parts: Partial<Finding>): Finding => ({
  file: 'src/a.js',
  line: 1,
  severity: 'error',
  rule: 'no-x',
  message: 'x is bad',
  attribution: 'none',
  ...parts,
})

/** A change of production code only; `measure` says what differs. */
export const code = (measure: World['measure'], parts: Partial<World> = {}): World => ({
  base: { 'src/a.js': 'one\n' },
  change: { 'src/a.js': 'two\n' },
  measure,
  ...parts,
})

/** What a gate measured that ran these. */
export const tests = (...cases: TestCase[]): Partial<Measurement> => ({ cases })

/** One gate of a verdict. */
export function gate({ verdict }: Judged, name: string) {
  const found = verdict.gates.find((it) => it.name === name)
  if (!found) throw new Error(`no gate ${name}`)
  return found
}
