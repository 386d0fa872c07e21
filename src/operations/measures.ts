import type { Clock } from '../core/clock.ts'
import type { RunEvent } from '../core/event.ts'
import { addUsage, NO_USAGE, type Usage } from '../core/run.ts'
import type { Labels, Metrics } from '../telemetry/metrics.ts'
import { type KnownRun, type KnownStep, openStep, type RunBook, wordOf } from './run-book.ts'

/** Counts what runs do, from their events. Counters begin at 0 with the process, as Prometheus expects. */
export interface Measures {
  /** Each event of all runs, once, in the order of each run. */
  add(event: RunEvent): Promise<void>
}

const SECOND = 1000
/** From a step of git to a day's work. */
const LONG = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 43_200]
const GATE = [0.05, 0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1800]
const LAG = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30]

export function createMeasures(metrics: Metrics, book: RunBook, clock: Pick<Clock, 'now'>): Measures {
  const runs = runMeasures(metrics)
  const steps = stepMeasures(metrics)
  const providers = providerMeasures(metrics)
  const gates = gateMeasures(metrics)
  const events = metrics.counter('reeve_events_total', 'Events of runs.')
  const lag = metrics.histogram('reeve_event_lag_seconds', 'Time from the commit of an event until this process has read it.', LAG)
  measureBook(metrics, book, clock)

  function count(event: RunEvent, known: KnownRun): void {
    runs(event, known)
    steps(event, known)
    providers(event, known)
    gates(event)
  }

  return {
    async add(event) {
      events({ type: event.type })
      lag({}, Math.max(0, clock.now() - event.ts) / SECOND)
      // It belongs to no run at work: somebody lands what has ended.
      if (event.type === 'run.landed') runs.landed(event)
      const known = await book.of(event)
      if (known === null) return
      count(event, known)
      book.turn(known, event)
    },
  }
}

type Count = (event: RunEvent, known: KnownRun) => void

function runMeasures(metrics: Metrics): Count & { landed: (event: RunEvent) => void } {
  const submitted = metrics.counter('reeve_runs_submitted_total', 'Runs that were submitted.')
  const finished = metrics.counter('reeve_runs_finished_total', 'Runs that have ended; reason: why they failed.')
  const waits = metrics.counter('reeve_run_waits_total', 'Times that a run began to wait, by what for.')
  const interrupted = metrics.counter('reeve_run_interruptions_total', 'Times that the process of a run at work was gone.')
  const duration = metrics.histogram('reeve_run_duration_seconds', 'Time from the first start of a run to its end, with waits.', LONG)
  const queued = metrics.histogram('reeve_run_queue_seconds', 'Time from the submission of a run to its first start.', LONG)
  const verdicts = metrics.counter('reeve_verdicts_total', 'Verdicts of the gates together.')
  const landed = metrics.counter('reeve_runs_landed_total', 'Changes that were landed.')

  const count: Count = (event, { role, workflow, createdAt, startedAt }) => {
    const { type, data, ts } = event
    if (type === 'run.queued') submitted({ role, workflow })
    if (type === 'run.waiting') waits({ reason: wordOf(data['reason']) })
    if (type === 'run.interrupted') interrupted({})
    if (type === 'verdict.reached') verdicts({ status: wordOf(data['status']) })
    if (type === 'run.started' && startedAt === null) queued({ role }, Math.max(0, ts - createdAt) / SECOND)
    if (type !== 'run.finished') return
    const status = wordOf(data['status'])
    finished({ role, workflow, status, reason: wordOf(data['reason']) })
    if (startedAt !== null) duration({ role, status }, (ts - startedAt) / SECOND)
  }
  return Object.assign(count, { landed: ({ data }: RunEvent) => landed({ how: wordOf(data['how']) }) })
}

function stepMeasures(metrics: Metrics): Count {
  const duration = metrics.histogram('reeve_step_duration_seconds', 'Time of a try of a step.', LONG)
  return (event, known) => {
    const { type, data, ts } = event
    if (type === 'step.started') openStep(known, event)
    const step = known.steps.get(wordOf(data['step']))
    if (!step) return
    if (type === 'provider.chosen') Object.assign(step, { provider: wordOf(data['provider']), model: wordOf(data['model']) })
    if (type === 'step.finished' || type === 'step.failed') {
      const { kind, role } = step
      duration({ kind, role, status: wordOf(data['status']) || 'failed' }, Math.max(0, ts - step.startedAt) / SECOND)
    }
  }
}

function providerMeasures(metrics: Metrics): Count {
  const requests = metrics.counter('reeve_provider_requests_total', 'Requests to models, and turns of CLI agents.')
  const failures = metrics.counter('reeve_provider_failures_total', 'Steps that a provider has failed, by class of the failure.')
  const limited = metrics.counter('reeve_provider_limits_total', 'Times that a limit of a provider was met.')
  const tokens = metrics.counter('reeve_tokens_total', 'Tokens; cached ones are among those of the input.')
  const cost = metrics.counter('reeve_cost_usd_total', 'US dollars, where a price is known.')
  const unpriced = metrics.counter('reeve_provider_unpriced_requests_total', 'Requests whose price nobody knows.')

  function used(from: Labels, usage: Usage, usd: unknown): void {
    requests(from, usage.requests)
    tokens({ ...from, kind: 'input' }, usage.inputTokens)
    tokens({ ...from, kind: 'output' }, usage.outputTokens)
    tokens({ ...from, kind: 'cached_input' }, usage.cachedInputTokens)
    if (typeof usd === 'number') cost(from, usd)
    else unpriced(from, usage.requests)
  }

  return ({ type, data }, known) => {
    const name = wordOf(data['step'])
    const step = known.steps.get(name)
    if (type === 'provider.failed') failures({ provider: wordOf(data['provider']), class: wordOf(data['class']) })
    if (type === 'provider.limited') limited({ provider: wordOf(data['provider']), class: wordOf(data['class']) })
    if (type === 'usage.reported') {
      const usage = usageOf(data)
      used({ provider: wordOf(data['provider']), model: wordOf(data['model']) }, usage, data['cost'])
      if (step) step.told = addUsage(step.told, usage)
    }
    if (type === 'step.finished' || type === 'step.failed') {
      if (step && step.provider !== '') atEnd(step, data)
      known.steps.delete(name)
    }
  }

  /** The end of a step holds the sums; what its calls have told is counted already. */
  function atEnd({ provider, model, told }: KnownStep, data: RunEvent['data']): void {
    const rest = less(usageOf(data), told)
    // Of a part nobody says what it cost.
    if (rest.requests + rest.inputTokens + rest.outputTokens > 0) used({ provider, model }, rest, told.requests === 0 ? data['cost'] : null)
  }
}

function gateMeasures(metrics: Metrics): (event: RunEvent) => void {
  const results = metrics.counter('reeve_gate_results_total', 'Results of gates.')
  const duration = metrics.histogram('reeve_gate_duration_seconds', 'Time of a gate.', GATE)
  const commits = metrics.counter('reeve_checkpoints_total', 'Commits that reeve has made of the work of agents.')
  return ({ type, data }) => {
    if (type === 'checkpoint.made') commits({})
    if (type !== 'gate.finished') return
    const gate = wordOf(data['gate'])
    // On the change, on its base to compare with, or for the proof by tests.
    results({ gate, status: wordOf(data['status']), where: wordOf(data['where']) })
    if (typeof data['durationMs'] === 'number') duration({ gate }, data['durationMs'] / SECOND)
  }
}

function measureBook(metrics: Metrics, book: RunBook, clock: Pick<Clock, 'now'>): void {
  const tally = (key: (known: KnownRun) => Labels): [number, Labels][] => {
    const counted = new Map<string, [number, Labels]>()
    for (const known of book.runs()) {
      const labels = key(known)
      const id = JSON.stringify(labels)
      counted.set(id, [(counted.get(id)?.[0] ?? 0) + 1, labels])
    }
    return [...counted.values()]
  }
  const inState = (status: string) => [...book.runs()].filter((it) => it.status === status)
  metrics.gauge('reeve_runs', 'Runs that have not ended, by role and status.', () => tally(({ role, status }) => ({ role, status })))
  metrics.gauge('reeve_runs_waiting', 'Runs that wait, by what for.', () =>
    tally(({ status, reason }) => ({ reason: status === 'waiting' ? (reason ?? '') : '-' })).filter(([, it]) => it['reason'] !== '-'),
  )
  metrics.gauge('reeve_queue_size', 'Runs that are queued.', () => [[inState('queued').length]])
  metrics.gauge('reeve_queue_oldest_seconds', 'Time since the submission of the run that is queued for longest; 0 without any.', () => {
    const oldest = inState('queued').reduce((least, it) => Math.min(least, it.createdAt), clock.now())
    return [[Math.max(0, clock.now() - oldest) / SECOND]]
  })
}

function usageOf(data: RunEvent['data']): Usage {
  return { ...NO_USAGE, ...(data['usage'] as Partial<Usage> | undefined) }
}

function less(a: Usage, b: Usage): Usage {
  const rest = (key: keyof Usage) => Math.max(0, a[key] - b[key])
  return {
    inputTokens: rest('inputTokens'),
    outputTokens: rest('outputTokens'),
    cachedInputTokens: rest('cachedInputTokens'),
    requests: rest('requests'),
  }
}
