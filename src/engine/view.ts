import type { EventType, RunEvent } from '../core/event.ts'
import { PROGRESS_EVENTS, progressOf } from '../core/progress.ts'
import { type Estimate, NO_USAGE, type RunView, type StepKind, type StepStatus, type StepView } from '../core/run.ts'
import { SPENDING } from '../store/events.ts'
import type { RunRow } from '../store/port.ts'
import { createTally } from '../store/tally.ts'

/** The events that a view is made of: what agents say and do is not among them. */
export const VIEW_EVENTS: readonly EventType[] = [...SPENDING, ...PROGRESS_EVENTS, 'provider.chosen', 'isolation.measured']

/** The run as the outside sees it. Pure: its row and its events come in, those of `VIEW_EVENTS` at least. */
export function viewRun(row: RunRow, events: readonly RunEvent[], paths: RunView['paths'], estimate: Estimate): RunView {
  const steps = viewSteps(events)
  const tally = createTally()
  for (const event of events) tally.add(event)
  const { usage, cost } = tally.spent()
  return {
    id: row.id,
    task: row.task,
    status: row.state,
    reason: row.reason,
    message: row.message ?? row.held,
    workflow: row.workflow,
    base: row.facts.base ?? '',
    branch: row.facts.branch ?? '',
    commit: row.facts.commit ?? null,
    attempts: row.facts.attempts ?? 0,
    progress: { ...progressOf(events), ...estimate },
    isolation: row.facts.isolation ?? measuredIn(events) ?? 'unknown',
    steps,
    verdict: row.facts.verdict ?? null,
    usage,
    cost,
    paths,
    createdAt: row.createdAt,
    priority: row.priority,
    notBefore: row.runAt === 0 ? null : row.runAt,
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
  const tally = createTally()
  for (const event of events) {
    tally.add(event)
    if (event.type === 'step.started') begin(steps, event)
    if (event.type === 'step.finished') end(steps, event, statusOf(event, 'succeeded'))
    if (event.type === 'step.failed') end(steps, event, statusOf(event, 'failed'))
    if (event.type === 'provider.chosen') choose(steps, event)
    if (event.type === 'run.interrupted' || event.type === 'run.detached' || event.type === 'run.finished') interruptAll(steps, event)
  }
  return [...steps.values()].map((it) => {
    const { usage, cost } = tally.spent({ step: it.name })
    return { ...it, usage, cost }
  })
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
    usage: NO_USAGE,
    cost: 0,
  })
}

function statusOf(event: RunEvent, usual: StepStatus): StepStatus {
  const status = text(event, 'status')
  return status === 'succeeded' || status === 'failed' || status === 'interrupted' ? status : usual
}

function end(steps: Map<string, StepView>, event: RunEvent, status: StepStatus): void {
  const step = steps.get(text(event, 'step') ?? '')
  if (!step) return
  step.status = status
  step.summary = text(event, 'problem') ?? text(event, 'summary')
  step.finishedAt = event.ts
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
