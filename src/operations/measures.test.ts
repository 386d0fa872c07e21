import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import type { EventType, RunEvent } from '../core/event.ts'
import type { Json } from '../core/json.ts'
import type { Store } from '../store/open.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { measureGit, measureState } from './gauges.ts'
import { createMeasures } from './measures.ts'
import { type ReadinessOptions, readiness } from './readiness.ts'
import { createRunBook } from './run-book.ts'

function bench(store: Store, now = () => 10_000) {
  const metrics = createMetrics({ version: '1.2.3', redact: (text) => text })
  onTestFinished(() => metrics.close())
  const book = createRunBook(store)
  const measures = createMeasures(metrics, book, { now })
  const numbers = async (prefix: string) =>
    (await metrics.text())
      .split('\n')
      .filter((it) => it.startsWith(prefix) && !it.includes('_bucket{'))
      .toSorted()
  /** All that is there now, as the feed of the daemon gives it. */
  const feed = async (after = 0) => {
    for await (const event of store.feed({ after, follow: false, signal: new AbortController().signal })) await measures.add(event)
  }
  return { metrics, book, measures, numbers, feed }
}

/** Events of one run with times of their own. */
function teller(run: string, first: number) {
  let seq = first - 1
  return (type: EventType, data: Record<string, Json> = {}, ts = 0): RunEvent => {
    seq += 1
    return { run, seq, ts, type, data }
  }
}

const usage = (inputTokens: number, requests = 1) => ({ inputTokens, outputTokens: 5, cachedInputTokens: 2, requests })

it('counts runs by role and status, from their submission to their end', async () => {
  const store = await toyStore()
  const { id } = await toySubmit(store, 'one')
  await toySubmit(store, 'two')
  const { feed, numbers } = bench(store)
  await feed()
  expect(await numbers('reeve_runs{')).toEqual(['reeve_runs{role="implementer",status="queued"} 2'])
  expect(await numbers('reeve_queue_size')).toEqual(['reeve_queue_size 2'])
  const after = await store.lastPosition()
  await store.claim(id, 'node')
  await store.cancel(id, 'ann')
  await feed(after)
  expect(await numbers('reeve_runs{')).toEqual(['reeve_runs{role="implementer",status="queued"} 1'])
  expect(await numbers('reeve_runs_submitted_total{')).toEqual(['reeve_runs_submitted_total{role="implementer",workflow="toy"} 2'])
  expect(await numbers('reeve_runs_finished_total{')).toEqual([
    'reeve_runs_finished_total{role="implementer",workflow="toy",status="cancelled",reason=""} 1',
  ])
  expect(await numbers('reeve_run_duration_seconds_count')).toEqual([
    'reeve_run_duration_seconds_count{role="implementer",status="cancelled"} 1',
  ])
})

it('knows the runs that were there before it began, and counts no event twice', async () => {
  const store = await toyStore()
  const { id } = await toySubmit(store, 'old')
  await store.claim(id, 'node')
  const { book, feed, numbers } = bench(store)
  await book.begin()
  expect(await numbers('reeve_runs{')).toEqual(['reeve_runs{role="implementer",status="running"} 1'])
  await feed()
  expect(await numbers('reeve_runs_submitted_total'), 'the submission was before').toEqual([])
  expect(await numbers('reeve_runs{')).toEqual(['reeve_runs{role="implementer",status="running"} 1'])
})

it('follows a run through waits, deaths and hand-overs', async () => {
  const store = await toyStore()
  const { id } = await toySubmit(store)
  const { measures, numbers, feed } = bench(store)
  await feed()
  const tell = teller(id, 2)
  const states = async () =>
    [...(await numbers('reeve_runs{')), ...(await numbers('reeve_runs_waiting{'))].filter((it) => !it.endsWith(' 0'))
  await measures.add(tell('run.started'))
  expect(await states()).toEqual(['reeve_runs{role="implementer",status="running"} 1'])
  await measures.add(tell('run.waiting', { reason: 'approval' }))
  expect(await states()).toEqual(['reeve_runs{role="implementer",status="waiting"} 1', 'reeve_runs_waiting{reason="approval"} 1'])
  await measures.add(tell('run.woken'))
  await measures.add(tell('run.started'))
  await measures.add(tell('run.interrupted'))
  expect(await states()).toEqual(['reeve_runs{role="implementer",status="queued"} 1'])
  expect(await numbers('reeve_run_interruptions_total')).toEqual(['reeve_run_interruptions_total 1'])
  expect(await numbers('reeve_run_waits_total')).toEqual(['reeve_run_waits_total{reason="approval"} 1'])
})

it('counts what providers were asked, once: what calls told is not counted again with the sums of their step', async () => {
  const store = await toyStore()
  const { id } = await toySubmit(store)
  const { measures, numbers, feed } = bench(store)
  await feed()
  const tell = teller(id, 2)
  const from = { provider: 'claude', model: 'm1' }
  await measures.add(tell('step.started', { step: 'work', kind: 'agent', role: 'implementer' }, 1000))
  await measures.add(tell('provider.chosen', { step: 'work', ...from }))
  await measures.add(tell('usage.reported', { step: 'work', ...from, usage: usage(100), cost: 0.5 }))
  await measures.add(tell('usage.reported', { step: 'work', ...from, usage: usage(50), cost: 0.25 }))
  await measures.add(
    tell(
      'step.finished',
      { step: 'work', kind: 'agent', status: 'succeeded', usage: { ...usage(150, 2), outputTokens: 10 }, cost: 0.75 },
      3500,
    ),
  )
  expect(await numbers('reeve_provider_requests_total{')).toEqual(['reeve_provider_requests_total{provider="claude",model="m1"} 2'])
  expect(await numbers('reeve_tokens_total{')).toEqual([
    'reeve_tokens_total{provider="claude",model="m1",kind="cached_input"} 4',
    'reeve_tokens_total{provider="claude",model="m1",kind="input"} 150',
    'reeve_tokens_total{provider="claude",model="m1",kind="output"} 10',
  ])
  expect(await numbers('reeve_cost_usd_total{')).toEqual(['reeve_cost_usd_total{provider="claude",model="m1"} 0.75'])
  expect(await numbers('reeve_step_duration_seconds_sum')).toEqual([
    'reeve_step_duration_seconds_sum{kind="agent",role="implementer",status="succeeded"} 2.5',
  ])
})

it('counts the usage of a step that tells it at its end only, and requests without a price', async () => {
  const store = await toyStore()
  const { id } = await toySubmit(store)
  const { measures, numbers, feed } = bench(store)
  await feed()
  const tell = teller(id, 2)
  await measures.add(tell('step.started', { step: 'a', kind: 'agent', role: 'implementer' }))
  await measures.add(tell('provider.chosen', { step: 'a', provider: 'own', model: '' }))
  await measures.add(tell('step.failed', { step: 'a', problem: 'no', usage: usage(7, 3), cost: null }))
  expect(await numbers('reeve_provider_requests_total{')).toEqual(['reeve_provider_requests_total{provider="own",model=""} 3'])
  expect(await numbers('reeve_provider_unpriced_requests_total{')).toEqual([
    'reeve_provider_unpriced_requests_total{provider="own",model=""} 3',
  ])
  expect(await numbers('reeve_cost_usd_total{')).toEqual([])
})

it('counts gates, verdicts, failures of providers, checkpoints and landings', async () => {
  const store = await toyStore()
  const { id } = await toySubmit(store)
  const { measures, numbers, feed } = bench(store)
  await feed()
  const tell = teller(id, 2)
  await measures.add(tell('gate.finished', { step: 's', gate: 'tests', status: 'failed', where: 'change', durationMs: 1500 }))
  await measures.add(tell('verdict.reached', { step: 's', status: 'failed' }))
  await measures.add(tell('provider.failed', { step: 's', provider: 'claude', class: 'auth', problem: 'x' }))
  await measures.add(tell('provider.limited', { step: 's', provider: 'claude', class: 'quota' }))
  await measures.add(tell('checkpoint.made', { step: 's', commit: 'abc' }))
  await measures.add(tell('run.finished', { status: 'failed', reason: 'gates' }))
  await measures.add(tell('run.landed', { branch: 'b', how: 'merge' }))
  expect(await numbers('reeve_gate_results_total{')).toEqual(['reeve_gate_results_total{gate="tests",status="failed",where="change"} 1'])
  expect(await numbers('reeve_gate_duration_seconds_sum')).toEqual(['reeve_gate_duration_seconds_sum{gate="tests"} 1.5'])
  expect(await numbers('reeve_verdicts_total{')).toEqual(['reeve_verdicts_total{status="failed"} 1'])
  expect(await numbers('reeve_provider_failures_total{')).toEqual(['reeve_provider_failures_total{provider="claude",class="auth"} 1'])
  expect(await numbers('reeve_provider_limits_total{')).toEqual(['reeve_provider_limits_total{provider="claude",class="quota"} 1'])
  expect(await numbers('reeve_checkpoints_total')).toEqual(['reeve_checkpoints_total 1'])
  expect(await numbers('reeve_runs_landed_total{')).toEqual(['reeve_runs_landed_total{how="merge"} 1'])
})

it('tells how late events are read', async () => {
  const store = await toyStore()
  const { measures, numbers } = bench(store, () => 10_000)
  await measures.add({ run: 'r', seq: 1, ts: 9750, type: 'run.landed', data: { how: 'merge' } })
  expect(await numbers('reeve_event_lag_seconds_sum')).toEqual(['reeve_event_lag_seconds_sum 0.25'])
})

it('names no run, no task and no project in its labels', async () => {
  const store = await toyStore()
  const { id } = await toySubmit(store, 'very-own-task')
  const { metrics, feed } = bench(store)
  await feed()
  const text = await metrics.text()
  for (const own of [id, 'very-own-task', '/project']) expect(text).not.toContain(own)
})

it('tells at a scrape which providers are left alone, how much room there is and what lies on the disk', async () => {
  const store = await toyStore()
  const { metrics, numbers } = bench(store)
  const folder = temporaryFolder()
  measureState({ metrics, store, folders: { state: folder, data: folder } })
  const failure = { class: 'auth', problem: 'x', retryMs: null, threshold: 3, recoveryMs: 1000 }
  await store.routing.breakerFailed('claude#0123456789', { ...failure, openMs: null })
  await store.routing.breakerFailed('claude#abcdef0123', { ...failure, openMs: 60_000 })
  await store.routing.breakerFailed('local#0123456789', { ...failure, openMs: null })
  expect(await numbers('reeve_provider_breaker_state{')).toEqual([
    'reeve_provider_breaker_state{provider="claude"} 1',
    'reeve_provider_breaker_state{provider="local"} 0',
  ])
  await store.routing.breakerClosed('claude#abcdef0123')
  await store.routing.breakerClosed('claude#0123456789')
  expect(await numbers('reeve_provider_breaker_state{'), 'what is over does not stay').toEqual([
    'reeve_provider_breaker_state{provider="claude"} 0',
    'reeve_provider_breaker_state{provider="local"} 0',
  ])
  expect(await numbers('reeve_store_bytes')).toHaveLength(1)
  expect(await numbers('reeve_disk_free_bytes{')).toHaveLength(2)
  expect(await numbers('reeve_worktrees')).toEqual(['reeve_worktrees 0'])
})

it('counts calls of git, also those that say no', async () => {
  const store = await toyStore()
  const { metrics, numbers } = bench(store)
  onTestFinished(measureGit(metrics))
  const { tryGit } = await import('../workspace/git.ts')
  const gitDir = temporaryFolder()
  await tryGit({ gitDir }, ['init', '-q', '--bare', gitDir])
  await tryGit({ gitDir }, ['rev-parse', '--verify', '--quiet', 'HEAD'])
  expect(await numbers('reeve_git_operations_total{')).toEqual([
    'reeve_git_operations_total{command="init",result="ok"} 1',
    'reeve_git_operations_total{command="rev-parse",result="no"} 1',
  ])
})

it('is ready while the store can be written, the engine is at work and nobody ends it', async () => {
  const store = await toyStore()
  const folder = temporaryFolder()
  const options: ReadinessOptions = { store, folders: { state: folder, data: folder }, engine: () => null, draining: () => false }
  const look = async (over: Partial<ReadinessOptions>) =>
    Object.fromEntries(
      await Promise.all(Object.entries(readiness({ ...options, ...over })).map(async ([name, check]) => [name, await check()] as const)),
    )
  expect(await look({})).toEqual({ store: null, engine: null, draining: null, disk: null })
  expect(await look({ draining: () => true })).toMatchObject({ draining: 'it is being stopped' })
  expect(await look({ engine: () => 'it takes nothing' })).toMatchObject({ engine: 'it takes nothing' })
})

it('is not ready when the store cannot be written', async () => {
  const folder = temporaryFolder()
  const store = await toyStore(folder)
  const { DatabaseSync } = await import('node:sqlite')
  const other = new DatabaseSync(join(folder, 'store.db'))
  other.exec('drop table limits')
  other.close()
  const checks = readiness({ store, folders: { state: folder, data: folder }, engine: () => null, draining: () => false })
  await expect(checks['store']?.()).rejects.toThrow('no such table: limits')
})
