import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crashAt } from '../core/crash.ts'
import { jsonText } from '../core/hostile-text.ts'
import { levelName } from '../core/isolation.ts'
import { redactAll } from '../core/redact.ts'
import { type Card, cardText } from './card.ts'
import { chainHead, hashOf } from './hash.ts'
import type { Job } from './job.ts'
import { neededLevel, recordedLevel } from './minimum.ts'

interface Outcome {
  status: string
  reason?: string
  message?: string
}

/** Writes the run's evidence: `card.json` for programs, `card.md` for people. The event holds the card's hash, so that an edited card shows. */
export async function evidenceStep(job: Job, outcome: Outcome, name = 'evidence'): Promise<void> {
  const { run, kit } = job
  await run.step({ name, kind: 'checkpoint', input: { commit: job.checkpoint, status: outcome.status } }, async (step) => {
    const card = await cardOf(job, outcome)
    const folder = join(kit.evidenceDir, run.id)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeWhole(join(folder, 'card.json'), `${jsonText(card, 2)}\n`)
    await writeWhole(join(folder, 'card.md'), cardText(card))
    crashAt('after-evidence-before-finish')
    step.fact({ evidence: folder })
    await step.emit('evidence.written', { path: folder, hash: hashOf(card) })
    step.summarize(join(folder, 'card.md'))
    return hashOf(card)
  })
}

/** Redacted before it is hashed: what is written is what is vouched for. */
async function cardOf(job: Job, outcome: Outcome): Promise<Card> {
  const { workspace, spent, judged } = job
  const { report } = job.keeping.sandbox
  const [task, trail] = [redactAll(job.task, job.kit.redact), redactAll(job.trail, job.kit.redact)]
  const commit = judged?.commit ?? job.checkpoint
  return {
    format: 1,
    reeve: job.kit.version,
    run: job.run.id,
    task: { id: task.id, title: task.title, kind: task.kind },
    outcome: { status: outcome.status, reason: outcome.reason ?? null, message: job.kit.redact(outcome.message ?? '') },
    base: workspace.base,
    commit,
    branch: workspace.branch,
    isolation: levelName(recordedLevel(job.run.row, report.level)),
    held: { by: report.by, needed: levelName(neededLevel(job.run.row, [...job.roles.values()])), holds: report.holds },
    attempts: job.attempts,
    files: (await workspace.changes(workspace.base, commit)).map(({ path, status, added, removed }) => ({ path, status, added, removed })),
    verdict: job.verdict,
    judged: judged && { depth: judged.depth, specs: judged.specs },
    usage: spent.usage,
    cost: spent.cost,
    trail,
    chain: chainHead(trail),
  }
}

/** A reader sees the old file or the new one, never half of it. */
async function writeWhole(path: string, content: string): Promise<void> {
  const half = `${path}.new`
  await writeFile(half, content, { mode: 0o600 })
  await rename(half, path)
}
