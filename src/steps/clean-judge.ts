import { join } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import type { Settings } from '../core/settings.ts'
import type { Task } from '../core/task.ts'
import type { Finding, Verdict } from '../core/verdict.ts'
import type { GateEvent } from '../gates/port.ts'
import { type Clone, cloneAt } from '../workspace/clone.ts'
import { resolveTree } from '../workspace/git.ts'
import type { Keeping } from '../workspace/held.ts'
import type { Project } from '../workspace/port.ts'
import type { Kit } from './kit.ts'

export interface CleanAsk {
  project: Project
  keeping: Keeping
  base: string
  commit: string
  task: Task
  settings: Settings
  depth: 'quick' | 'full'
  /** Test files that only the spec author may change, and the commit that holds their content. */
  specs: { files: string[]; commit: string } | null
  /** Folder of base results; null: nothing that was measured before may stand in for a measurement now. */
  cacheDir: string | null
  /** The run whose programs these are, and a folder of it for the clone. */
  run?: { id: string; folder: string }
  signal: AbortSignal
  emit(event: GateEvent): void
}

/**
 * Judges a commit in a clean clone with fresh dependencies. What an agent left in ignored folders (a planted tool in `node_modules`, a file that
 * is not committed) is not there: what is judged is what lands. A setup that works on the base and fails with the change is a failed gate.
 */
export async function judgeClean(kit: Kit, ask: CleanAsk): Promise<Verdict> {
  const tree = await resolveTree(ask.project, ask.commit)
  const clone = await cleanClone(kit, ask, ask.commit)
  if ('problem' in clone) {
    const base = await cleanClone(kit, ask, ask.base)
    // A registry that is down fails on the base just the same, and says nothing about the change.
    if ('problem' in base) throw new ReeveError('environment', base)
    await base.dispose()
    return setupFailed(ask, tree, clone.problem)
  }
  try {
    return await kit.judge({
      checkout: clone,
      comparison: {
        base: ask.base,
        baseTree: await resolveTree(ask.project, ask.base),
        changes: await clone.changesFrom(ask.base),
        fileAtBase: (path) => clone.fileAt(path, ask.base),
        filesAtBase: () => clone.filesAt(ask.base),
        baseCheckout: () => clone.scratch(ask.base),
        cleanCheckout: () => cloneOf(kit, ask, ask.base),
      },
      settings: ask.settings,
      task: ask.task,
      tree,
      depth: ask.depth,
      protectedFiles: ask.specs?.files ?? [],
      protectedContent: (path) => clone.fileAt(path, ask.specs?.commit ?? ask.base),
      cacheDir: ask.cacheDir ?? join(clone.path, '..', 'base-results'),
      timeoutMs: ask.settings.runs.gate_timeout_minutes * 60_000,
      signal: ask.signal,
      emit: (event) => ask.emit(event),
    })
  } finally {
    await clone.dispose()
  }
}

async function cleanClone(kit: Kit, ask: CleanAsk, commit: string): Promise<Clone | { problem: string }> {
  try {
    return await cloneOf(kit, ask, commit)
  } catch (error) {
    ask.signal.throwIfAborted()
    if (!(error instanceof ReeveError) || error.code !== 'environment') throw error
    return { problem: kit.redact(error.message) }
  }
}

type CloneAsk = Pick<CleanAsk, 'project' | 'keeping' | 'base' | 'task' | 'settings' | 'run' | 'signal'>

/** A clean clone of a commit. The base's has what the base installs, and nothing of the change. */
export function cloneOf(kit: Kit, ask: CloneAsk, commit: string): Promise<Clone> {
  return cloneAt({
    project: ask.project,
    keeping: ask.keeping,
    commit,
    change: commit !== ask.base,
    setup: ask.settings.project.setup,
    dataDir: kit.dataDir,
    signal: ask.signal,
    timeoutMs: ask.settings.runs.step_timeout_minutes * 60_000,
    ...(ask.task.target_dir === undefined ? {} : { targetDir: ask.task.target_dir }),
    ...(ask.run === undefined ? {} : { run: ask.run }),
  })
}

/** The same setup works on the base, so it is the change that breaks it. */
function setupFailed(ask: CleanAsk, tree: string, problem: string): Verdict {
  const finding: Finding = {
    file: null,
    line: null,
    severity: 'error',
    rule: 'reeve/setup-failed',
    message: problem,
    attribution: 'introduced',
  }
  const [first = ''] = problem.split('\n')
  return {
    status: 'failed',
    score: 0,
    summary: `The setup fails with the change: ${first}`,
    gates: [
      {
        name: 'setup',
        status: 'failed',
        command: ask.settings.project.setup.join(' && '),
        cwd: '.',
        reason: '[project] setup',
        durationMs: 0,
        exitCode: null,
        findings: [finding],
        tests: null,
        base: null,
        outputTail: problem,
      },
    ],
    redProof: { status: 'not_run', reason: 'The setup fails with the change.', files: [], red: [], vacuous: [] },
    changedCoverage: null,
    tree,
    base: ask.base,
  }
}
