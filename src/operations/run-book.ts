import type { RunEvent } from '../core/event.ts'
import { isFinished, NO_USAGE, type RunStatus, type Usage } from '../core/run.ts'
import type { Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'

/** A run that has not ended, as far as its events tell. */
export interface KnownRun {
  readonly run: string
  readonly role: string
  readonly workflow: string
  readonly createdAt: number
  status: RunStatus
  /** Of a wait. */
  reason: string | null
  /** Epoch ms; null before it has begun. */
  startedAt: number | null
  /** Number of the last event that was counted. */
  seq: number
  /** Tries of steps that are open. */
  steps: Map<string, KnownStep>
}

export interface KnownStep {
  kind: string
  role: string
  provider: string
  model: string
  startedAt: number
  /** What its calls have told. */
  told: Usage
}

/** The runs that have not ended, kept by their events: asked at every scrape, without a look at the store. */
export interface RunBook {
  /** Reads what there is. Begin to read events before this: those that are counted already are left out. */
  begin(): Promise<void>
  /** The run of an event, as it was before; null when it is of no run that has yet to end, or was counted. Events of a run come in order. */
  of(event: RunEvent): Promise<KnownRun | null>
  /** Takes over what the event says. */
  turn(known: KnownRun, event: RunEvent): void
  runs(): Iterable<KnownRun>
}

const PAGE = 500

export function createRunBook(store: Pick<Store, 'listRuns' | 'getRun'>): RunBook {
  const runs = new Map<string, KnownRun>()

  async function begin(): Promise<void> {
    let after: string | undefined
    for (;;) {
      const page = await store.listRuns({
        states: ['queued', 'running', 'waiting'],
        limit: PAGE,
        ...(after === undefined ? {} : { after }),
      })
      for (const row of page) if (!runs.has(row.id)) runs.set(row.id, knownFrom(row, row.lastSeq))
      after = page.at(-1)?.id
      if (page.length < PAGE) return
    }
  }

  async function of(event: RunEvent): Promise<KnownRun | null> {
    const known = runs.get(event.run)
    if (known) return event.seq > known.seq ? known : null
    // A run that was submitted, or whose end is told although it began before we did.
    if (event.type !== 'run.queued') return null
    const row = await store.getRun(event.run)
    if (row === null) return null
    // Its row may be ahead of its events: what it was when they were written is what the events say.
    const fresh: KnownRun = { ...knownFrom(row, event.seq - 1), status: 'queued', reason: null, startedAt: null }
    runs.set(event.run, fresh)
    return fresh
  }

  function turn(known: KnownRun, event: RunEvent): void {
    known.seq = event.seq
    const next = stateAfter(event)
    if (next !== null) {
      known.status = next
      known.reason = next === 'waiting' ? wordOf(event.data['reason']) : null
    }
    if (event.type === 'run.started') known.startedAt ??= event.ts
    if (OVER.has(event.type)) known.steps.clear()
    if (isFinished(known.status)) runs.delete(known.run)
  }

  return { begin, of, turn, runs: () => runs.values() }
}

/** Nobody will say how the steps at work ended. */
const OVER: ReadonlySet<string> = new Set(['run.interrupted', 'run.detached', 'run.finished'])

function stateAfter(event: RunEvent): RunStatus | null {
  switch (event.type) {
    case 'run.started':
      return 'running'
    case 'run.waiting':
      return 'waiting'
    case 'run.woken':
    case 'run.detached':
    case 'run.interrupted':
      return 'queued'
    case 'run.finished':
      return wordOf(event.data['status']) as RunStatus
    default:
      return null
  }
}

function knownFrom(row: RunRow, seq: number): KnownRun {
  return {
    run: row.id,
    role: row.task.role,
    workflow: row.workflow,
    createdAt: row.createdAt,
    status: row.state,
    reason: row.reason,
    startedAt: row.startedAt,
    seq,
    steps: new Map(),
  }
}

export function openStep(known: KnownRun, { data, ts }: RunEvent): void {
  known.steps.set(wordOf(data['step']), {
    kind: wordOf(data['kind']),
    role: wordOf(data['role']),
    provider: wordOf(data['provider']),
    model: '',
    startedAt: ts,
    told: NO_USAGE,
  })
}

/** A word of an event's data; '' where there is none. */
export function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
