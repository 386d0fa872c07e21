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
    if (!decision.approved) {
      const reason = decision.comment === '' ? '' : `: ${decision.comment}`
      return { status: 'failed', reason: 'gates', message: `Landing was refused by ${decision.actor}${reason}.` }
    }
  }
  await landStep(job, how)
  return outcome
}

type Ended = { status: 'succeeded'; message: string } | Extract<RunEnd, { status: 'failed' }>

function judgeEnd(verdict: Verdict): Ended {
  if (isGreen(verdict)) return { status: 'succeeded', message: verdict.summary }
  return { status: 'failed', reason: verdict.status === 'not_run' ? 'error' : 'gates', message: verdict.summary }
}
