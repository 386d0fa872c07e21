import type { Verdict } from '../core/verdict.ts'
import type { RunEnd } from '../engine/port.ts'
import { agentStep, hasOther } from '../steps/agent-step.ts'
import { gateStep } from '../steps/gate-step.ts'
import { implementGoal, type Part, reviewGoal } from '../steps/goals.ts'
import type { Job } from '../steps/job.ts'
import { keepStep } from '../steps/keep-step.ts'
import { commitSubject } from '../steps/landing-message.ts'
import type { Work } from '../steps/work.ts'

export interface Ask {
  /** Prefix of the step names: `part-1`, `direct`. */
  name: string
  part: Part
  role: string
  depth: 'quick' | 'full'
  maxAttempts: number
  /** What is known to be wrong already, from an earlier verdict. */
  known?: Verdict
  /** Ask the reviewer about failures. */
  review: boolean
}

export type Attempted = { verdict: Verdict } | { end: RunEnd }

/** Lets a role work and the gates judge, until they are green or the limit is reached. Then the last attempt is kept and the run ends. */
export async function attemptUntilGreen(job: Job, ask: Ask): Promise<Attempted> {
  const start = job.checkpoint
  let summary = ''
  let last: { verdict: Verdict; review: string; tree: string; ended?: string } | null = ask.known
    ? { verdict: ask.known, review: '', tree: '' }
    : null
  for (let attempt = 1; attempt <= ask.maxAttempts; attempt++) {
    const step = `${ask.name}/attempt-${attempt}`
    const instructions = await job.run.messages(`${step}/messages`)
    const before = last
    job.attempts += 1
    const work = await agentStep(job, {
      name: `${step}/implement`,
      role: ask.role,
      attempt,
      goal: () => implementGoal(job, ask.part, before, instructions),
      message: commitSubject(job.task.kind, ask.part.title),
      withTests: job.specs === null,
    })
    const verdict = await gateStep(job, { name: `${step}/gates`, depth: ask.depth, attempt })
    const idle = work.tree === job.baseTree
    if (isGreen(verdict) && !idle) return { verdict }
    if (verdict.status === 'not_run') return { end: unjudged(verdict) }

    summary = idle ? `Nothing was changed. ${verdict.summary}` : verdict.summary
    await keepStep(job, { name: `${step}/keep`, attempt, summary })
    // At the last attempt there is nothing to try again, so nobody is asked.
    // Nor is it stuck when it had no money to go on with.
    const again = last !== null && work.tree === last.tree && sameFailures(verdict, last.verdict)
    const stuck = attempt < ask.maxAttempts && again && work.reached === undefined
    if (stuck) {
      const end = await unstick(job, work, step, verdict)
      if (end) return { end }
    }
    if (attempt === ask.maxAttempts) break
    const review =
      ask.review && !stuck
        ? await agentStep(job, {
            name: `${step}/review`,
            role: 'reviewer',
            attempt,
            goal: () => reviewGoal(job, ask.part, verdict),
            message: 'chore: review',
          })
        : null
    last = { verdict, review: review?.text ?? '', tree: work.tree, ended: work.status === 'limited' ? work.problem : '' }
  }
  await keepStep(job, {
    name: `${ask.name}/give-up`,
    attempt: ask.maxAttempts,
    summary: 'the limit of attempts is reached',
    restoreTo: start,
  })
  const times = ask.maxAttempts === 1 ? 'once' : `${ask.maxAttempts} times`
  return { end: { status: 'failed', reason: 'gates', message: `The gates said no ${times}. Last: ${summary}` } }
}

/** No attempt can be right where nothing can be checked: asking the agent again would only cost. */
function unjudged(verdict: Verdict): RunEnd {
  const found = verdict.gates.some((gate) => gate.name === 'tests' && gate.command !== null)
  const hint = found
    ? 'A change is judged in a clean clone, where only [project] setup of reeve.toml installs, for example: setup = ["npm ci"]'
    : 'Say in reeve.toml how the project is tested, for example: [gates.tests] command = "make check"'
  return { status: 'failed', reason: 'error', message: `No gate could judge the change: ${verdict.summary} ${hint}` }
}

/** Green lets a run go on: nothing that ran has failed. Warnings are for people. */
export function isGreen(verdict: Verdict): boolean {
  return verdict.status === 'passed' || verdict.status === 'warning'
}

function sameFailures(a: Verdict, b: Verdict): boolean {
  const key = (verdict: Verdict) =>
    verdict.gates
      .flatMap((gate) => gate.findings.map((it) => `${gate.name}|${it.file}|${it.rule}|${it.attribution}`))
      .toSorted()
      .join('\n')
  return a.status === b.status && a.redProof.status === b.redProof.status && key(a) === key(b)
}

/** The same files and the same failures twice: another provider, then a person, then the end. */
async function unstick(job: Job, work: Work, step: string, verdict: Verdict): Promise<RunEnd | null> {
  if (hasOther(job, work.provider)) {
    job.avoided.push(work.provider)
    return null
  }
  const stuck = `Stuck: nothing was changed and the gates say the same. ${verdict.summary}`
  const { autonomy } = job.settings.runs
  if (autonomy === undefined || autonomy === 'autonomous') return { status: 'failed', reason: 'gates', message: stuck }
  const decision = await job.run.approval(
    `${step}/stuck`,
    `${stuck} Approve to try again (send an instruction first), reject to end the run.`,
  )
  return decision.approved ? null : { status: 'failed', reason: 'gates', message: stuck }
}
