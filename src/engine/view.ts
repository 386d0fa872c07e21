import type { RunEvent } from '../core/event.ts'
import { addCost, addUsage, type Cost, NO_USAGE, type RunView, type StepKind, type StepStatus, type StepView } from '../core/run.ts'
import { spentBy } from '../store/events.ts'
import type { RunRow } from '../store/port.ts'

/** The run as the outside sees it. Pure: its row and all its events come in. */
export function viewRun(row: RunRow, events: readonly RunEvent[], paths: RunView['paths']): RunView {
  const steps = viewSteps(events)
  return {
    id: row.id,
    task: row.task,
    status: row.state,
    reason: row.reason,
    message: row.message,
    workflow: row.workflow,
    base: row.facts.base ?? '',
    branch: row.facts.branch ?? '',
    commit: row.facts.commit ?? null,
    attempts: row.facts.attempts ?? 0,
    isolation: row.facts.isolation ?? measuredIn(events) ?? 'unknown',
    steps,
    verdict: row.facts.verdict ?? null,
    usage: steps.reduce((sum, it) => addUsage(sum, it.usage), NO_USAGE),
    cost: steps.reduce<Cost>((sum, it) => addCost(sum, it.cost), 0),
    paths,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
  }
}

/** The level of a run that has no workspace yet: its setup commands are programs too. */
function measuredIn(events: readonly RunEvent[]): string | null {
  const measured = events.findLast((it) => it.type === 'isolation.measured')
  return measured ? text(measured, 'level') : null
}

/** Steps in the order in which they first began. A step that was begun again is one step: its last try, with what all its tries have used. */
export function viewSteps(events: readonly RunEvent[]): StepView[] {
  const steps = new Map<string, StepView>()
  for (const event of events) {
    if (event.type === 'step.started') begin(steps, event)
    if (event.type === 'step.finished') end(steps, event, statusOf(event, 'succeeded'))
    if (event.type === 'step.failed') end(steps, event, statusOf(event, 'failed'))
    if (event.type === 'provider.chosen') choose(steps, event)
    if (event.type === 'run.interrupted' || event.type === 'run.detached' || event.type === 'run.finished') interruptAll(steps, event)
  }
  return [...steps.values()]
}

function text(event: RunEvent, key: string): string | null {
  const value = event.data[key]
  return typeof value === 'string' ? value : null
}

function begin(steps: Map<string, StepView>, event: RunEvent): void {
  const name = text(event, 'step') ?? ''
  const earlier = steps.get(name)
  const attempt = event.data['attempt']
  steps.set(name, {
    name,
    kind: (text(event, 'kind') ?? 'agent') as StepKind,
    role: text(event, 'role'),
    provider: text(event, 'provider') ?? earlier?.provider ?? null,
    status: 'running',
    attempt: typeof attempt === 'number' ? attempt : 1,
    summary: null,
    startedAt: event.ts,
    finishedAt: null,
    usage: earlier?.usage ?? NO_USAGE,
    cost: earlier === undefined ? 0 : earlier.cost,
  })
}

function statusOf(event: RunEvent, usual: StepStatus): StepStatus {
  const status = text(event, 'status')
  return status === 'succeeded' || status === 'failed' || status === 'interrupted' ? status : usual
}

function end(steps: Map<string, StepView>, event: RunEvent, status: StepStatus): void {
  const step = steps.get(text(event, 'step') ?? '')
  if (!step) return
  const spent = spentBy(event)
  step.status = status
  step.summary = text(event, 'problem') ?? text(event, 'summary')
  step.finishedAt = event.ts
  step.usage = addUsage(step.usage, spent.usage)
  step.cost = addCost(step.cost, spent.cost)
}

function choose(steps: Map<string, StepView>, event: RunEvent): void {
  const step = steps.get(text(event, 'step') ?? '')
  if (step) step.provider = text(event, 'provider')
}

/** The process died, or the run was taken from it: nobody will say how these steps ended. */
function interruptAll(steps: Map<string, StepView>, event: RunEvent): void {
  for (const step of steps.values()) {
    // An open question is asked once and outlives the process.
    if (step.status !== 'running' || (step.kind === 'approval' && event.type !== 'run.finished')) continue
    step.status = 'interrupted'
    step.finishedAt = event.ts
  }
}
