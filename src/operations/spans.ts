import type { RunEvent } from '../core/event.ts'
import type { Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'
import { idOf, readTraceparent } from '../telemetry/trace-ids.ts'
import type { SpanRecord, Traces } from '../telemetry/traces.ts'
import { wordOf } from './run-book.ts'

/** Makes spans of the events of all runs: run, step, gate and call of a provider. What was said in them is not looked at. */
export interface Spans {
  /** Each event once, in the order of each run. */
  add(event: RunEvent): Promise<void>
}

interface OpenStep {
  id: string
  start: number
  /** When its last call was told: the next one began after that. */
  mark: number
  words: Record<string, string | number>
}

interface OpenRun {
  trace: string
  id: string
  parent: string | null
  start: number
  words: Record<string, string | number>
  steps: Map<string, OpenStep>
}

// Runs that hang about; their spans begin anew when they go on.
const MOST_RUNS = 5000

export function createSpans(traces: Pick<Traces, 'record'>, store: Pick<Store, 'getRun'>): Spans {
  const runs = new Map<string, OpenRun>()

  async function runOf({ run, type }: RunEvent): Promise<OpenRun | null> {
    const known = runs.get(run)
    if (known) return known
    const row = await store.getRun(run)
    // What comes after its end, such as landing, is in no span.
    if (row === null || (row.finishedAt !== null && type !== 'run.finished')) return null
    const made = openRun(row)
    runs.set(run, made)
    if (runs.size > MOST_RUNS) runs.delete(runs.keys().next().value ?? '')
    return made
  }

  return {
    async add(event) {
      const run = await runOf(event)
      if (run === null) return
      addStep(traces, run, event)
      if (event.type === 'run.started' && run.steps.size > 0) run.steps.clear()
      if (event.type !== 'run.finished') return
      runs.delete(event.run)
      const status = wordOf(event.data['status'])
      traces.record({
        ...span(run, { name: 'run', id: run.id, parent: run.parent, start: run.start, end: event.ts }),
        attributes: { ...run.words, 'reeve.status': status },
        failed: status === 'failed' ? wordOf(event.data['reason']) || 'failed' : null,
      })
    },
  }
}

function openRun(row: RunRow): OpenRun {
  const given = readTraceparent(wordOf(row.options['trace']))
  return {
    trace: given?.trace ?? idOf(`trace/${row.id}`, 32),
    id: idOf(`run/${row.id}`, 16),
    parent: given?.span ?? null,
    start: row.startedAt ?? row.createdAt,
    words: { 'reeve.run': row.id, 'reeve.workflow': row.workflow, 'reeve.role': row.task.role },
    steps: new Map(),
  }
}

function addStep(traces: Pick<Traces, 'record'>, run: OpenRun, { type, data, ts, seq }: RunEvent): void {
  const name = wordOf(data['step'])
  const step = run.steps.get(name)
  const child = (what: string, start: number, end = ts) =>
    span(run, { name: what, id: idOf(`${run.id}/${seq}`, 16), parent: step?.id ?? run.id, start, end })
  switch (type) {
    case 'step.started':
      run.steps.set(name, {
        id: idOf(`${run.id}/${seq}`, 16),
        start: ts,
        mark: ts,
        words: { 'reeve.step': name, 'reeve.kind': wordOf(data['kind']), 'reeve.role': wordOf(data['role']) },
      })
      return
    case 'provider.chosen':
      if (step) Object.assign(step.words, { 'reeve.provider': wordOf(data['provider']), 'reeve.model': wordOf(data['model']) })
      return
    case 'usage.reported':
      traces.record({ ...child('provider.call', step?.mark ?? ts), attributes: callWords(data) })
      if (step) step.mark = ts
      return
    case 'gate.finished': {
      const [gate, status] = [wordOf(data['gate']), wordOf(data['status'])]
      const took = typeof data['durationMs'] === 'number' ? data['durationMs'] : 0
      const failed = status === 'failed' ? status : null
      traces.record({ ...child(`gate ${gate}`, ts - took), attributes: { 'reeve.gate': gate, 'reeve.status': status }, failed })
      return
    }
    case 'step.finished':
    case 'step.failed': {
      if (!step) return
      run.steps.delete(name)
      const status = wordOf(data['status']) || 'failed'
      traces.record({
        ...span(run, { name: `step ${step.words['reeve.kind']}`, id: step.id, parent: run.id, start: step.start, end: ts }),
        attributes: { ...step.words, 'reeve.status': status },
        failed: status === 'failed' ? status : null,
      })
    }
  }
}

function span(run: OpenRun, it: Pick<SpanRecord, 'name' | 'id' | 'parent' | 'start' | 'end'>): SpanRecord {
  return { trace: run.trace, attributes: {}, failed: null, ...it }
}

/** Names as the conventions for generative models have them. */
function callWords(data: RunEvent['data']): Record<string, string | number> {
  const usage = (data['usage'] ?? {}) as { inputTokens?: number; outputTokens?: number }
  const cost = data['cost']
  return {
    'reeve.provider': wordOf(data['provider']),
    'gen_ai.request.model': wordOf(data['model']),
    'gen_ai.usage.input_tokens': usage.inputTokens ?? 0,
    'gen_ai.usage.output_tokens': usage.outputTokens ?? 0,
    ...(typeof cost === 'number' ? { 'reeve.cost_usd': cost } : {}),
  }
}
