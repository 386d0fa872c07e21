import { z } from 'zod'
import type { Json } from '../core/json.ts'
import type { RunEnd } from '../engine/port.ts'
import { agentStep } from '../steps/agent-step.ts'
import { type Part, planGoal } from '../steps/goals.ts'
import type { Job } from '../steps/job.ts'

// More parts than this is a plan for several tasks.
const MAX_PARTS = 12
// A person who refuses three plans wants to write the task anew.
const MAX_PLANS = 3

const partSchema = z.object({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/),
  title: z.string().min(1).max(200),
  goal: z.string().min(1),
  files: z.array(z.string()).default([]),
  depends_on: z.array(z.string()).default([]),
})

export const planSchema = z.object({ summary: z.string().min(1), parts: z.array(partSchema).min(1).max(MAX_PARTS) })
export type Plan = z.infer<typeof planSchema>

/** Parts so that each comes after those it depends on, otherwise in the order given; null when they go round in a circle or name a part that is not there. */
export function inOrder(parts: readonly Plan['parts'][number][]): Plan['parts'] | null {
  const done = new Set<string>()
  const ordered: Plan['parts'] = []
  while (ordered.length < parts.length) {
    const next = parts.find((it) => !done.has(it.id) && it.depends_on.every((other) => done.has(other)))
    if (!next) return null
    done.add(next.id)
    ordered.push(next)
  }
  return new Set(parts.map((it) => it.id)).size === parts.length ? ordered : null
}

/** The architect's plan, approved by a person where the run is `manual`. */
export async function makePlan(job: Job): Promise<{ parts: Part[] } | { end: RunEnd }> {
  let refusal = ''
  for (let number = 1; number <= MAX_PLANS; number++) {
    const name = number === 1 ? 'plan' : `plan-${number}`
    const work = await agentStep(job, {
      name,
      role: 'architect',
      attempt: number,
      goal: () => planGoal(job, refusal),
      outputSchema: z.toJSONSchema(planSchema, { io: 'input' }) as { [key: string]: Json },
      message: 'chore: plan',
      announce: planMade,
    })
    const parsed = planSchema.safeParse(work.output)
    const parts = parsed.success ? inOrder(parsed.data.parts) : null
    if (!parsed.success || !parts) {
      refusal = parsed.success
        ? 'The parts depend on each other in a circle, share an id, or name a part that is not there.'
        : `It does not fit the schema: ${z.prettifyError(parsed.error)}`
      continue
    }
    if (job.settings.runs.autonomy !== 'manual') return { parts }
    const decision = await job.run.approval(`${name}/approval`, planText(parsed.data.summary, parts))
    if (decision.approved) return { parts }
    refusal = decision.comment || 'No reason was given.'
    if (decision.comment === '')
      return { end: { status: 'failed', reason: 'gates', message: `The plan was refused by ${decision.actor}.` } }
  }
  return { end: { status: 'failed', reason: 'gates', message: `No usable plan after ${MAX_PLANS} tries: ${refusal}` } }
}

function planMade(output: Json | null): { type: 'plan.made'; data: { [key: string]: Json } } | null {
  const plan = planSchema.safeParse(output)
  const parts = plan.success ? inOrder(plan.data.parts) : null
  return plan.success && parts ? { type: 'plan.made', data: { summary: plan.data.summary, parts: parts.map((it) => it.title) } } : null
}

function planText(summary: string, parts: readonly Part[]): string {
  return [summary, ...parts.map((it, at) => `${at + 1}. ${it.title}`)].join('\n')
}
