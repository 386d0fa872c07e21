import type { Verdict } from '../core/verdict.ts'
import type { RunEnd } from '../engine/port.ts'
import { evidenceStep } from '../steps/evidence-step.ts'
import type { Job } from '../steps/job.ts'
import { landStep } from '../steps/land-step.ts'
import { publishStep } from '../steps/publish-step.ts'
import { riskStep } from '../steps/risk-step.ts'
import { isGreen } from './attempts.ts'

/** The end of every workflow: evidence in any case; for a green run the branch, then the approval and the landing that are configured. */
export async function finish(job: Job, end: RunEnd | Verdict): Promise<RunEnd> {
  const outcome = 'gates' in end ? judgeEnd(end) : end
  if (outcome.status === 'failed') {
    await evidenceStep(job, outcome)
    return outcome
  }
  await publishStep(job)
  await evidenceStep(job, outcome)

  const { runs } = job.settings
  const how = runs.land ?? (runs.autonomy === undefined ? 'none' : 'branch')
  if (how === 'none') return outcome
  const risk = runs.autonomy === 'autonomous' ? await riskStep(job) : ''
  if (runs.autonomy !== 'autonomous' || risk !== '') {
    const decision = await job.run.approval('land/approval', `${risk === '' ? outcome.message : risk} Land it (${how})?`)
    if (!decision.approved) return refused(job, decision)
  }
  return landUntilDone(job, how, outcome)
}

/** What stands in the way of landing is for a person to clear away: asked until it has landed, or is left on its branch. */
async function landUntilDone(job: Job, how: 'branch' | 'merge' | 'squash', outcome: RunEnd): Promise<RunEnd> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'land' : `land-${number}`
    const problem = await landStep(job, name, how)
    if (problem === '') return outcome
    const question = `It is green, but could not be landed: ${problem} Approve to try again, reject to leave it on its branch.`
    const decision = await job.run.approval(`${name}/approval-again`, question)
    if (!decision.approved) return refused(job, decision)
  }
}

/** The card must not say that a refused run succeeded, so it is written again. */
async function refused(job: Job, decision: { actor: string; comment: string }): Promise<RunEnd> {
  const reason = decision.comment === '' ? '' : `: ${decision.comment}`
  const end = { status: 'failed', reason: 'gates', message: `Landing was refused by ${decision.actor}${reason}.` } as const
  await evidenceStep(job, end, 'evidence/refused')
  return end
}

type Ended = { status: 'succeeded'; message: string } | Extract<RunEnd, { status: 'failed' }>

function judgeEnd(verdict: Verdict): Ended {
  if (isGreen(verdict)) return { status: 'succeeded', message: verdict.summary }
  return { status: 'failed', reason: verdict.status === 'not_run' ? 'error' : 'gates', message: verdict.summary }
}
