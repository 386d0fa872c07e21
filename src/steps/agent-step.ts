import type { Agent, AgentRequest, AgentResult } from '../agents/port.ts'
import { providerNames, routesFor } from '../agents/router/choose.ts'
import { isLasting, type Tried } from '../agents/router/fallback.ts'
import { ReeveError } from '../core/errors.ts'
import type { Json } from '../core/json.ts'
import type { Role } from '../core/role.ts'
import { StepWait } from '../engine/port.ts'
import { tell } from './agent-events.ts'
import { moreBudget, notBegun, reachedBy, snapshot } from './breach.ts'
import { type Grant, released, reserve, settle } from './budget.ts'
import { dropGoingOn, readGoingOn } from './going-on.ts'
import { handOver, routeOf } from './hand-over.ts'
import { isTest, type Job, spend } from './job.ts'
import { firstLine, keepWork } from './keep-work.ts'
import type { AgentAsk, Try, Work } from './work.ts'

/**
 * An agent's work. Where the budget of the run leaves nothing for it, a person is asked for more, and it begins anew. Throws what
 * `agentTries` does, and budget_reached.
 */
export async function agentStep(job: Job, ask: AgentAsk): Promise<Work> {
  for (let number = 1; ; number++) {
    const work = await agentTries(job, number === 1 ? ask : { ...ask, name: `${ask.name}/budget-${number}` })
    if (work.reached?.stopped !== true || ask.spare === true) return work
    await moreBudget(job, work.reached.cap)
  }
}

/**
 * Lets a role work by the first provider that can, and keeps what it did in a checkpoint. A provider that fails hands over to the next one;
 * what it wrote by then is kept as an attempt. Who is next is decided inside the step, so that a replay sees the same. Where all that are left
 * are limited for a time, the run is parked and goes on in the same step. Throws no_provider or provider_failed when none is left.
 */
async function agentTries(job: Job, ask: AgentAsk): Promise<Work> {
  const role = roleFor(job, ask)
  // Throws what no provider can mend: there is none, or the task names an unknown one.
  routesFor({ role, task: job.task, settings: job.settings })
  const tried: Tried[] = []
  for (;;) {
    const name = tried.length === 0 ? ask.name : `${ask.name}~${tried.length + 1}`
    const spec = { name, kind: 'agent', input: { role: role.name }, role: role.name, attempt: ask.attempt } as const
    const trying = job.run.step(
      spec,
      (step) => tryOnce(job, { ask: { ...ask, name, base: ask.name }, role, tried, step }) as Promise<Json & Work>,
    )
    const work = (await trying.finally(() => released(job))) as Work
    note(job, name, role, work)
    if (work.failure === null) return work
    const { class: kind, model, until, last } = work.failure
    tried.push({ provider: work.provider, model, class: kind, problem: work.problem, until })
    if (isLasting(kind)) job.failed.set(work.provider, `failed in this run (${kind}: ${work.problem})`)
    if (last) throw failedAll(tried)
  }
}

function roleFor(job: Job, ask: AgentAsk): Role {
  const role = job.roles.get(ask.role)
  if (!role) throw new ReeveError('role_not_found', { role: ask.role, known: [...job.roles.keys()].join(', ') })
  if (ask.withTests !== true || role.permissions.write !== 'production') return role
  return { ...role, permissions: { ...role.permissions, write: 'all' } }
}

/** What a try means for the rest of the run. */
function note(job: Job, step: string, role: Role, work: Work): void {
  const { status, provider, commit, tree, usage, cost } = work
  spend(job, usage, cost)
  job.checkpoint = commit
  job.trail.push({ kind: 'claim', step, role: role.name, provider, status, said: firstLine(work.text), commit, tree, usage, cost })
  if (work.session !== null) job.sessions.set(sessionKey(role, step), { provider, session: work.session })
  // It has made good: what it failed in before was bad luck.
  if (work.failure === null && work.reached === undefined) job.failed.delete(provider)
}

function failedAll(tried: readonly Tried[]): ReeveError {
  const unique = (values: string[]) => [...new Set(values)]
  const provider = unique(tried.map((it) => it.provider)).join('", "')
  return new ReeveError('provider_failed', { provider, problem: unique(tried.map((it) => it.problem)).join('; ') })
}

/** Is there a provider besides this one that has neither got stuck nor failed in this run? */
export function hasOther(job: Job, provider: string): boolean {
  return providerNames(job.settings).some((it) => it !== provider && !job.avoided.includes(it) && !job.failed.has(it))
}

async function tryOnce(job: Job, it: Try): Promise<Work> {
  const { workspace, kit, settings } = job
  const { ask, step } = it
  const point = await readGoingOn(job, ask.base)
  const route = { ...routeOf(job, it), prefer: point && { provider: point.provider, reason: 'it goes on where it was' } }
  const choice = await kit.router.choose(route)
  if (choice.kind === 'wait') throw new StepWait('quota', kit.redact(choice.problem), choice.until)
  if (choice.kind === 'none') throw failedAll(it.tried)

  const { provider } = choice
  const attempt = kit.router.begin(provider, settings, route.asker)
  const given = await reserve(job, ask.name, provider, step)
  if ('scope' in given) {
    await attempt.ended({ status: 'aborted', class: null, problem: '', retryAt: null })
    const reached = await snapshot(job, ask.name, given, step)
    // What an interrupted try left is nobody's work; where it can be gone on with, it is half of one. It is kept by now.
    if (step.repeated && point === null) await workspace.restore(job.checkpoint, { keep: false })
    return { ...(await keepWork(job, it, { provider, result: notBegun(given), session: null, failure: null, goesOn: null })), reached }
  }
  const goesOn = point?.provider === provider && point.tree === (await workspace.treeHash()) ? point : null
  await dropGoingOn(job, ask.base)
  if (goesOn === null && (step.repeated || point !== null)) await workspace.restore(job.checkpoint)

  const agent = await agentFor(job, provider)
  const { reason, passed } = choice
  const told = passed.map((other) => ({ ...other, why: kit.redact(other.why) }))
  await step.emit('provider.chosen', { step: ask.name, provider, model: agent.model, reason: kit.redact(reason), passed: told })

  const teller = tell({ job, ask, role: it.role, provider }, step)
  const session = goesOn?.session ?? earlierSession(job, it.role, ask.name, provider)
  const result = await agent.run({
    ...(await requestFor(job, it, given)),
    replaceable: await kit.router.hasOther(route, provider),
    ...(session === null ? {} : { session }),
    emit: (event) => {
      if (event.type === 'used') attempt.answered()
      teller.emit(event)
    },
  })
  // First of all: what was used counts, however the step ends.
  await settle(job, ask.name, provider, step, { given, result })
  const until = await attempt.ended(result)
  await teller.settled()
  step.signal.throwIfAborted()

  const ended = { provider, result, session: result.session ?? null }
  if (result.status !== 'failed') {
    const news = ask.announce?.(result.output) ?? null
    if (news !== null) await step.emit(news.type, { step: ask.name, ...news.data })
    const reached = await reachedBy(ask.name, given, result, step)
    return { ...(await keepWork(job, it, { ...ended, failure: null, goesOn: null })), ...(reached === null ? {} : { reached }) }
  }
  return handOver(job, it, { ...ended, model: agent.model, until })
}

/** A provider that cannot even be set up here fails like one that does not answer: the next one takes over. */
async function agentFor(job: Job, provider: string): Promise<Agent> {
  try {
    return await job.kit.agent(provider, job.settings, job.project)
  } catch (error) {
    if (!(error instanceof ReeveError)) throw error
    const kind = error.code === 'provider_key_missing' ? 'auth' : 'config'
    const hint = error.hint === undefined ? '' : ` ${error.hint}`
    return { provider, model: 'none', run: async () => ({ ...NOTHING, class: kind, problem: `${error.message}${hint}` }) }
  }
}

const NOTHING: AgentResult = {
  status: 'failed',
  text: '',
  output: null,
  problem: '',
  class: null,
  retryAt: null,
  usage: { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, requests: 0 },
  cost: 0,
  steps: 0,
}

async function requestFor(job: Job, { ask, role, step }: Try, given: Grant): Promise<Omit<AgentRequest, 'emit'>> {
  const { runs, project } = job.settings
  return {
    role,
    goal: await ask.goal(),
    workspace: job.workspace,
    isTestFile: (path) => isTest(job, path),
    protectedPaths: [...project.protected, ...(role.permissions.write === 'tests' ? [] : (job.specs?.files ?? []))],
    ...(ask.outputSchema ? { outputSchema: ask.outputSchema } : {}),
    limits: {
      steps: Math.min(role.max_steps, runs.max_steps),
      tokens: given.tokens,
      usd: given.usd,
      timeoutMs: runs.step_timeout_minutes * 60_000,
      commandTimeoutMs: runs.gate_timeout_minutes * 60_000,
    },
    origin: { run: job.run.id, task: job.task.id, step: ask.name, attempt: ask.attempt },
    signal: step.signal,
  }
}

/** Roles that only look begin each time with fresh eyes. */
function earlierSession(job: Job, role: Role, step: string, provider: string): string | null {
  if (role.permissions.write === 'none') return null
  const earlier = job.sessions.get(sessionKey(role, step))
  return earlier?.provider === provider ? earlier.session : null
}

/** Attempts at the same part share a session: `part-1/attempt-2/implement` goes on with `part-1/attempt-1/implement`. */
function sessionKey(role: Role, step: string): string {
  return `${role.name} ${step.replace(/\/attempt-\d+\//, '/').replace(/~\d+$/, '')}`
}
