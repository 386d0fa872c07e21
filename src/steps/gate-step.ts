import type { Json } from '../core/json.ts'
import type { Verdict } from '../core/verdict.ts'
import type { Comparison, GateEvent } from '../gates/port.ts'
import { decidesInstall } from '../workspace/dependency-cache.ts'
import type { Keeping } from '../workspace/held.ts'
import { scratchFolder } from '../workspace/record.ts'
import { type CleanAsk, cloneOf, judgeClean } from './clean-judge.ts'
import { hashOf } from './hash.ts'
import type { Job } from './job.ts'
import { telling } from './keeping.ts'

export interface GateAsk {
  name: string
  depth: 'quick' | 'full'
  attempt: number
  /** The gates are wanted to fail here: tests before their implementation. */
  wanted?: 'red'
}

/**
 * Runs the gates on the last checkpoint and judges against the base. `quick` in the workspace, to answer the agent soon; `full`, which decides,
 * in a clean clone of the commit, and so `quick` where the change wants other packages. Journaled: never run twice for one step.
 */
export async function gateStep(job: Job, ask: GateAsk): Promise<Verdict> {
  const { run, specs } = job
  const spec = { name: ask.name, kind: 'gate', input: { depth: ask.depth }, attempt: ask.attempt } as const
  const result = await run.step(spec, async (step) => {
    await clean(job, { keep: !step.repeated })
    let told: Promise<void> = Promise.resolve()
    const emit = (event: GateEvent): void => {
      const { type, ...data } = event
      told = told.then(() => step.emit(type, { step: ask.name, ...data }))
      // Awaited below; until then the judge is at work, and a run that was stopped meanwhile is nobody's surprise.
      told.catch(() => undefined)
    }
    const { signal } = step
    const inClone = ask.depth === 'full' || (ask.wanted !== 'red' && (await changesInstall(job)))
    const judged = await telling(job.keeping, step, (keeping) =>
      inClone ? judgeCommit(job, keeping, { depth: ask.depth, signal, emit }) : judgeWorkspace(job, signal, emit),
    )
    await told
    step.signal.throwIfAborted()
    await clean(job, { keep: false })
    step.fact({ verdict: judged, attempts: job.attempts })
    step.summarize(
      ask.wanted === 'red' ? `${judged.status === 'failed' ? 'red, as wanted' : 'not red'}: ${judged.summary}` : judged.summary,
    )
    await step.emit('verdict.reached', { step: ask.name, status: judged.status, score: judged.score, summary: judged.summary })
    const asWanted = (judged.status === 'failed') === (ask.wanted === 'red')
    return { status: asWanted ? 'succeeded' : 'failed', verdict: judged as unknown as Json }
  })
  const verdict = result.verdict as unknown as Verdict
  const { tree, status, score, summary } = verdict
  job.verdict = verdict
  job.judged = { commit: job.checkpoint, depth: ask.depth, specs }
  job.trail.push({ kind: 'measurement', step: ask.name, tree, status, score, summary, verdict: hashOf(verdict) })
  return verdict
}

/**
 * Files back to the checkpoint. What differs after the gates, or in a gate step that was cut off, was written by gates; what differs before
 * the first of them is somebody's, such as a person's who looked at the files while the run waited, and is kept.
 */
async function clean(job: Job, options: { keep: boolean }): Promise<void> {
  if ((await job.workspace.changes(job.checkpoint)).length > 0) await job.workspace.restore(job.checkpoint, options)
}

/** Does the change want other packages than the worktree has? The setup runs in a clone only. */
async function changesInstall({ settings, workspace }: Job): Promise<boolean> {
  if (settings.project.setup.length === 0) return false
  return (await workspace.changes()).some((it) => decidesInstall(it.path))
}

async function judgeCommit(job: Job, keeping: Keeping, ask: Pick<CleanAsk, 'depth' | 'signal' | 'emit'>): Promise<Verdict> {
  const { kit, project, workspace, task, settings, specs } = job
  // The clone borrows the objects of the project: the commit must be there.
  await workspace.publish()
  return judgeClean(kit, {
    project,
    keeping,
    base: workspace.base,
    commit: job.checkpoint,
    task,
    settings,
    specs,
    cacheDir: kit.cacheDir,
    run: runOf(job),
    ...ask,
  })
}

/** The run that programs of a clone belong to, and where the clone is made. */
function runOf({ kit, run }: Job): { id: string; folder: string } {
  return { id: run.id, folder: scratchFolder(kit.dataDir, run.id) }
}

async function judgeWorkspace(job: Job, signal: AbortSignal, emit: (event: GateEvent) => void): Promise<Verdict> {
  const { kit, workspace, task, settings, specs } = job
  return kit.judge({
    checkout: workspace,
    comparison: await comparisonOf(job, signal),
    settings,
    task,
    tree: await workspace.treeHash(),
    depth: 'quick',
    protectedFiles: specs?.files ?? [],
    protectedContent: (path) => workspace.fileAt(path, specs?.commit ?? workspace.base),
    cacheDir: kit.cacheDir,
    timeoutMs: settings.runs.gate_timeout_minutes * 60_000,
    signal,
    emit,
  })
}

async function comparisonOf(job: Job, signal: AbortSignal): Promise<Comparison> {
  const { kit, project, keeping, workspace, task, settings } = job
  return {
    base: workspace.base,
    baseTree: job.baseTree,
    changes: await workspace.changes(),
    fileAtBase: (path) => workspace.fileAt(path),
    filesAtBase: () => workspace.filesAt(),
    baseCheckout: () => workspace.scratch(undefined, signal),
    cleanCheckout: () => cloneOf(kit, { project, keeping, base: workspace.base, task, settings, run: runOf(job), signal }, workspace.base),
  }
}
