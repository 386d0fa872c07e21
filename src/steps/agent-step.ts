import type { AgentResult } from '../agents/port.ts'
import { chooseProvider, providerNames } from '../agents/route.ts'
import { ReeveError } from '../core/errors.ts'
import { levelName } from '../core/isolation.ts'
import type { Json } from '../core/json.ts'
import { redactAll } from '../core/redact.ts'
import type { Role } from '../core/role.ts'
import { addCost, addUsage, type Cost, type Usage } from '../core/run.ts'
import { type StepHandle, StepWait } from '../engine/port.ts'
import { tell } from './agent-events.ts'
import { remaining } from './budget.ts'
import { isTest, type Job, spend } from './job.ts'

/** What an agent is asked. `goal` is rendered inside the step, so it may look at the files as they are then. */
export interface AgentAsk {
  /** Step name, unique in the run. */
  name: string
  role: string
  attempt: number
  goal: () => Promise<string>
  outputSchema?: { [key: string]: Json }
  /** Conventional commit message of the checkpoint that keeps the work. */
  message: string
  /** A role that may write production files may also write tests, as where no spec author has written them. */
  withTests?: boolean
}

/** What an agent's step left behind; journaled. `commit` is the checkpoint with its work. */
export interface Work {
  status: AgentResult['status']
  text: string
  output: Json | null
  problem: string
  provider: string
  commit: string
  tree: string
  changed: boolean
  usage: Usage
  cost: Cost
}

// A provider that says "too many" without saying until when is asked again after a minute.
const UNSAID_RETRY_MS = 60_000

/**
 * Lets a role work by the first provider that can, and keeps what it did in a checkpoint. A provider that fails hands over to the next in
 * order; what it wrote by then is kept as an attempt. Throws no_provider or provider_failed when none is left.
 */
export async function agentStep(job: Job, ask: AgentAsk): Promise<Work> {
  const known = job.roles.get(ask.role)
  if (!known) throw new ReeveError('role_not_found', { role: ask.role, known: [...job.roles.keys()].join(', ') })
  const role = ask.withTests === true ? alsoTests(known) : known

  const failed: { provider: string; problem: string }[] = []
  for (;;) {
    const choice = choose(job, role, failed)
    const name = failed.length === 0 ? ask.name : `${ask.name}~${failed.length + 1}`
    const last = nextAfter(job, role, [...failed.map((it) => it.provider), choice.provider]) === null
    const spec = {
      name,
      kind: 'agent',
      input: { role: role.name, provider: choice.provider },
      role: role.name,
      provider: choice.provider,
      attempt: ask.attempt,
    } as const
    const work = (await job.run.step(
      spec,
      (step) => workOnce(job, { ...ask, name }, role, choice, last, step) as Promise<Json & Work>,
    )) as Work
    spend(job, work.usage, work.cost)
    job.checkpoint = work.commit
    const { status, provider, commit, tree, usage, cost } = work
    job.trail.push({ kind: 'claim', step: name, role: role.name, provider, status, said: firstLine(work.text), commit, tree, usage, cost })
    if (work.status !== 'failed') return work
    failed.push({ provider: choice.provider, problem: work.problem })
  }
}

function alsoTests(role: Role): Role {
  return role.permissions.write === 'production' ? { ...role, permissions: { ...role.permissions, write: 'all' } } : role
}

function choose(job: Job, role: Role, failed: readonly { provider: string; problem: string }[]): { provider: string; reason: string } {
  const names = failed.map((it) => it.provider)
  const next = nextAfter(job, role, names)
  if (next) return next
  const [only] = failed
  if (!only) return chooseProvider({ role, task: job.task, settings: job.settings })
  throw new ReeveError('provider_failed', { provider: names.join('", "'), problem: failed.map((it) => it.problem).join('; ') })
}

/** The next provider, avoiding those that got stuck in this run as long as another is left. */
function nextAfter(job: Job, role: Role, failed: readonly string[]): { provider: string; reason: string } | null {
  const stuck = job.avoided.map((it) => [it, 'got stuck'] as const)
  const broken = failed.map((it) => [it, 'failed'] as const)
  for (const without of [[...stuck, ...broken], broken]) {
    try {
      return chooseProvider({ role, task: job.task, settings: job.settings, failed: new Map(without) })
    } catch (error) {
      if (!(error instanceof ReeveError && error.code === 'no_provider')) throw error
    }
  }
  return null
}

/** Is there a provider besides this one that has not got stuck in this run? */
export function hasOther(job: Job, provider: string): boolean {
  return providerNames(job.settings).some((it) => it !== provider && !job.avoided.includes(it))
}

async function workOnce(
  job: Job,
  ask: AgentAsk,
  role: Role,
  choice: { provider: string; reason: string },
  last: boolean,
  step: StepHandle,
): Promise<Work> {
  const { workspace, kit, settings } = job
  if (step.repeated) await workspace.restore(job.checkpoint)
  const agent = await kit.agent(choice.provider, settings, job.project)
  await step.emit('provider.chosen', { step: ask.name, provider: agent.provider, model: agent.model, reason: choice.reason })

  const left = remaining(job, step.spentBefore)
  if (left.tokens !== null || left.usd !== null) await step.emit('budget.reserved', { step: ask.name, tokens: left.tokens, usd: left.usd })
  const teller = tell({ job, ask, role, provider: agent.provider }, step)
  const result = await agent.run({
    role,
    goal: await ask.goal(),
    workspace,
    isTestFile: (path) => isTest(job, path),
    protectedPaths: [...settings.project.protected, ...(role.permissions.write === 'tests' ? [] : (job.specs?.files ?? []))],
    ...(ask.outputSchema ? { outputSchema: ask.outputSchema } : {}),
    limits: {
      steps: Math.min(role.max_steps, settings.runs.max_steps),
      tokens: left.tokens,
      usd: left.usd,
      timeoutMs: settings.runs.step_timeout_minutes * 60_000,
      commandTimeoutMs: settings.runs.gate_timeout_minutes * 60_000,
    },
    origin: { run: job.run.id, task: job.task.id, step: ask.name, attempt: ask.attempt },
    signal: step.signal,
    emit: teller.emit,
  })
  // First of all: what was used counts, however the step ends.
  step.charge(result.usage, result.cost)
  await teller.settled()
  step.signal.throwIfAborted()

  if (result.status === 'failed') await providerFailed(job, choice.provider, result, last, step)
  return keep(job, ask, role, agent.provider, result, step)
}

async function providerFailed(job: Job, provider: string, result: AgentResult, last: boolean, step: StepHandle): Promise<void> {
  const kind = result.class ?? 'crashed'
  await step.emit('provider.failed', { provider, class: kind, problem: job.kit.redact(result.problem) })
  if (kind !== 'rate_limited' || !last) return
  const until = result.retryAt ?? job.kit.clock.now() + UNSAID_RETRY_MS
  throw new StepWait('quota', `${provider} has reached its limit: ${job.kit.redact(result.problem)}`, until)
}

async function keep(job: Job, ask: AgentAsk, role: Role, provider: string, result: AgentResult, step: StepHandle): Promise<Work> {
  const { workspace, kit } = job
  const dirty = (await workspace.changes(job.checkpoint)).length > 0
  const refuse = dirty && (result.status === 'failed' || role.permissions.write === 'none')
  if (refuse) {
    const kept = await workspace.keepAttempt()
    await step.emit('attempt.kept', { ref: kept.ref, commit: kept.commit, number: kept.number })
    await workspace.restore(job.checkpoint)
  }
  const trailers = [
    `Reeve-Run: ${job.run.id}`,
    `Reeve-Step: ${ask.name}`,
    `Reeve-Isolation: ${levelName(job.keeping.sandbox.report.level)}`,
  ]
  const made = await workspace.checkpoint(`${kit.redact(ask.message)}\n\n${trailers.join('\n')}`)
  if (made.changed) {
    await workspace.publish()
    step.fact({ commit: made.commit })
    await step.emit('checkpoint.made', { step: ask.name, commit: made.commit, message: ask.message, files: made.files })
  }
  const said = kit.redact(result.text)
  // Its words end up in questions, commit messages and the journal.
  const output = redactAll(result.output, kit.redact)
  step.summarize(result.status === 'completed' ? firstLine(summaryOf(output) ?? said) : `${result.status}: ${kit.redact(result.problem)}`)
  return {
    status: result.status,
    text: said,
    output,
    problem: kit.redact(result.problem),
    provider,
    commit: made.commit,
    tree: made.tree,
    changed: made.changed,
    usage: addUsage(step.spentBefore.usage, result.usage),
    cost: addCost(step.spentBefore.cost, result.cost),
  }
}

/** What a structured answer says of itself. */
function summaryOf(output: Json | null): string | null {
  if (output === null || typeof output !== 'object' || Array.isArray(output)) return null
  const { summary } = output
  return typeof summary === 'string' ? summary : null
}

function firstLine(text: string): string {
  const [line = ''] = text.trim().split('\n')
  return line.length > 160 ? `${line.slice(0, 159)}…` : line
}
