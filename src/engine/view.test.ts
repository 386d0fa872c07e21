import { expect, it } from 'vitest'
import { soon, toyEngine, toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import type { EventType, RunEvent } from '../core/event.ts'
import { NO_USAGE, type RunView } from '../core/run.ts'
import { StepWait } from './port.ts'
import { VIEW_EVENTS, viewRun, viewSteps } from './view.ts'

const paths: RunView['paths'] = { project: '/p', workspace: '/w', evidence: null, log: '/l' }
const usage = { inputTokens: 10, outputTokens: 1, cachedInputTokens: 0, requests: 1 }

function eventsOf(...list: [EventType, RunEvent['data']][]): RunEvent[] {
  return list.map(([type, data], at) => ({ run: 'r', seq: at + 1, ts: (at + 1) * 1000, type, data }))
}

const started = (step: string, more: RunEvent['data'] = {}): [EventType, RunEvent['data']] => [
  'step.started',
  { step, kind: 'agent', attempt: 1, ...more },
]

const unknown = { remainingMs: null, basis: 'nobody knows' }

it('shows each step with what it was, how it ended and what it used', () => {
  const [step] = viewSteps(
    eventsOf(
      started('implement', { role: 'implementer', attempt: 2 }),
      ['provider.chosen', { step: 'implement', provider: 'local', model: 'm', reason: 'first' }],
      ['step.finished', { step: 'implement', kind: 'agent', status: 'succeeded', summary: 'done', usage, cost: 0.5, durationMs: 7 }],
    ),
  )
  expect(step).toEqual({
    name: 'implement',
    kind: 'agent',
    role: 'implementer',
    provider: 'local',
    status: 'succeeded',
    attempt: 2,
    summary: 'done',
    startedAt: 1000,
    finishedAt: 3000,
    usage,
    cost: 0.5,
  })
})

it('shows a running step as running, and as interrupted when its process has died or the run was stopped', () => {
  const at = (...more: [EventType, RunEvent['data']][]) =>
    viewSteps(eventsOf(started('a'), ...more)).map((it) => [it.status, it.finishedAt])
  expect(at()).toEqual([['running', null]])
  expect(at(['run.interrupted', {}])).toEqual([['interrupted', 2000]])
  expect(at(['run.detached', {}])).toEqual([['interrupted', 2000]])
  expect(at(['run.finished', { status: 'cancelled' }])).toEqual([['interrupted', 2000]])
  expect(at(['run.interrupted', {}], started('a'))).toEqual([['running', null]])
  expect(at(['step.failed', { step: 'a', problem: 'no' }])).toEqual([['failed', 2000]])
})

it('keeps an open question open when a process dies', () => {
  const [step] = viewSteps(eventsOf(['step.started', { step: 'plan', kind: 'approval', attempt: 1 }], ['run.interrupted', {}]))
  expect(step?.status).toBe('running')
})

it('adds up what all tries of a step have used', () => {
  const [step] = viewSteps(
    eventsOf(started('a'), ['step.failed', { step: 'a', status: 'interrupted', problem: 'quota', usage, cost: 1 }], started('a'), [
      'step.finished',
      { step: 'a', status: 'succeeded', usage, cost: 2 },
    ]),
  )
  expect(step).toMatchObject({ status: 'succeeded', summary: null, startedAt: 3000, cost: 3, usage: { inputTokens: 20, requests: 2 } })
})

it('does not take an unknown price for free', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  const view = viewRun(run, eventsOf(started('a'), ['step.finished', { step: 'a', usage, cost: null }], started('b')), paths, unknown)
  expect(view.cost).toBeNull()
  expect(view.usage).toEqual(usage)
})

it('shows a run that has only been submitted', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  const measured = eventsOf(started('workspace'), ['isolation.measured', { level: 'L2 os-sandbox', by: 'bubblewrap 0.8.0' }])
  expect(viewRun(run, measured, paths, unknown).isolation, 'its setup has not ended').toBe('L2 os-sandbox')
  expect(viewRun(run, await store.events(run.id), paths, unknown)).toEqual({
    id: run.id,
    task: run.task,
    status: 'queued',
    reason: null,
    message: null,
    workflow: 'toy',
    base: '',
    branch: '',
    commit: null,
    attempts: 0,
    progress: { percent: 0, stage: 'queued', milestones: [], ...unknown },
    isolation: 'unknown',
    steps: [],
    verdict: null,
    usage: NO_USAGE,
    cost: 0,
    paths,
    createdAt: run.createdAt,
    priority: 0,
    notBefore: null,
    startedAt: null,
    finishedAt: null,
  })
})

it('shows a run from its real events, with its facts', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.step({ name: 'workspace', kind: 'workspace', input: null }, async (it) => {
        it.fact({ base: 'b1', branch: 'auto/x/y', isolation: 'L0 none' })
        return null
      })
      await run.step({ name: 'work', kind: 'agent', input: null }, async (it) => {
        it.charge(usage, 0.5)
        if (!it.repeated) throw new StepWait('quota', 'Later.', Date.now() + 1)
        it.fact({ commit: 'c1', attempts: 1 })
        return null
      })
      return { status: 'failed', reason: 'gates', message: 'The gates said no.' }
    },
  })
  const { id } = await toySubmit(store)
  const row = await engine.waitFor(id, soon())
  const view = viewRun(row, await store.eventsOfType(id, VIEW_EVENTS), paths, unknown)
  expect(view, 'the events of a view are enough').toEqual(viewRun(row, await store.events(id), paths, unknown))
  expect(view).toMatchObject({
    status: 'failed',
    reason: 'gates',
    message: 'The gates said no.',
    base: 'b1',
    branch: 'auto/x/y',
    commit: 'c1',
    attempts: 1,
    isolation: 'L0 none',
    cost: 1,
    usage: { requests: 2 },
  })
  expect(view.steps.map((it) => [it.name, it.status])).toEqual([
    ['workspace', 'succeeded'],
    ['work', 'succeeded'],
  ])
  expect(view.finishedAt).toBeGreaterThanOrEqual(view.startedAt ?? Number.POSITIVE_INFINITY)
})
