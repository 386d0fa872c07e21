import type { AgentResult } from '../agents/port.ts'
import { isLimited } from '../agents/router/breaker.ts'
import type { Choice } from '../agents/router/choose.ts'
import type { Tried } from '../agents/router/fallback.ts'
import { tokensOf } from '../core/run.ts'
import { StepWait } from '../engine/port.ts'
import { type GoingOn, keepGoingOn } from './going-on.ts'
import type { Job } from './job.ts'
import { keepWork } from './keep-work.ts'
import type { Try, Work } from './work.ts'

/** What the router is asked for a try. */
export function routeOf(job: Job, { ask, role, tried }: Try) {
  const stuck = job.avoided.map((it) => [it, 'got stuck in this run'] as const)
  return {
    role,
    task: job.task,
    settings: job.settings,
    avoided: new Map([...job.failed, ...stuck]),
    asker: { run: job.run.id, step: ask.name },
    tried,
  }
}

export interface Failed {
  provider: string
  model: string
  result: AgentResult
  session: string | null
  until: number | null
}

/** What follows from a failed try: the next provider, the same one again, a pause, or the end. */
export async function handOver(job: Job, it: Try, { provider, model, result, session, until }: Failed): Promise<Work> {
  const { kit, workspace } = job
  const { ask, step } = it
  const kind = result.class ?? 'crashed'
  const problem = kit.redact(result.problem)
  await step.emit('provider.failed', { step: ask.name, provider, class: kind, problem })
  if (isLimited(kind)) await step.emit('provider.limited', { step: ask.name, provider, class: kind, problem, retryAt: until })

  const tried: Tried = { provider, model, class: kind, problem, until }
  const next = await kit.router.next({ ...routeOf(job, it), tried: [...it.tried, tried] })
  const point = async (): Promise<GoingOn | null> => (session === null ? null : { provider, session, tree: await workspace.treeHash() })
  const paid = session !== null && tokensOf(result.usage) + tokensOf(step.spentBefore.usage) > 0
  const back = isLimited(kind) ? backAt(job, { provider, until, paid }, next) : null
  if (back !== null) {
    const goesOn = await point()
    if (goesOn) await keepGoingOn(job, ask.base, goesOn)
    throw new StepWait('quota', `${provider} has reached its limit: ${problem}`, back)
  }
  const again = next.kind === 'chosen' && next.provider === provider && FROM_THERE.includes(kind) ? await point() : null
  if (again) await keepGoingOn(job, ask.base, again)
  const failure = { class: kind, model, until, last: next.kind === 'none' }
  return keepWork(job, it, { provider, result, session: null, failure, goesOn: again })
}

// Sooner than somebody else would have done again what is done already.
const SHORT_PAUSE_MS = 30_000

/** When to go on with a provider that is limited, epoch ms; null: somebody else takes over. */
function backAt(
  job: Job,
  { provider, until, paid }: { provider: string; until: number | null; paid: boolean },
  next: Choice,
): number | null {
  if (next.kind === 'wait') return next.until
  const soon = until ?? 0
  if (next.kind === 'chosen' && next.provider === provider) return soon
  return paid && until !== null && until - job.kit.clock.now() <= SHORT_PAUSE_MS ? soon : null
}

/** It was not the agent's fault: what it has done so far is good. */
const FROM_THERE: readonly string[] = ['overloaded', 'server', 'network']
