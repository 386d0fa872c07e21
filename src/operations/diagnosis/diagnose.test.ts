import { describe, expect, it } from 'vitest'
import { toyTask } from '../../../test/support/toy-task.ts'
import type { EventType, RunEvent } from '../../core/event.ts'
import type { Json } from '../../core/json.ts'
import type { RunRow } from '../../store/port.ts'
import { diagnose } from './diagnose.ts'
import type { Facts, QueuePlace } from './facts.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const MIN = 60_000

type Told = readonly [type: EventType, data?: Record<string, Json>, minutesAgo?: number]

function facts(row: Partial<RunRow>, told: readonly Told[] = [], more: Partial<Facts> = {}): Facts {
  const events = told.map(
    ([type, data = {}, minutesAgo = 1], at): RunEvent => ({ run: 'r1', seq: at + 1, ts: NOW - minutesAgo * MIN, type, data }),
  )
  const base: RunRow = {
    id: 'r1',
    clientKey: null,
    workflow: 'build',
    project: '/p',
    task: toyTask('t1'),
    options: {},
    state: 'queued',
    reason: null,
    message: null,
    node: null,
    priority: 0,
    epoch: 0,
    crashes: 0,
    lastSeq: events.length,
    createdAt: NOW - 60 * MIN,
    startedAt: null,
    finishedAt: null,
    runAt: 0,
    held: null,
    activeMs: 0,
    claimedAt: null,
    facts: {},
    ...row,
  }
  return {
    now: NOW,
    row: base,
    events,
    last: events.at(-1) ?? null,
    wakesAt: null,
    pausing: false,
    nodeLives: true,
    workers: true,
    queue: null,
    dependencies: [],
    closed: [],
    freeBytes: 10 ** 10,
    ...more,
  }
}

const place = (more: Partial<QueuePlace> = {}): QueuePlace => ({ pauses: [], held: null, position: 1, size: 1, reason: null, ...more })
const queuedRun = (queue: QueuePlace, more: Partial<Facts> = {}, row: Partial<RunRow> = {}) =>
  diagnose(facts({ state: 'queued', ...row }, [['run.queued']], { queue, ...more }))
const commands = (it: ReturnType<typeof diagnose>) => it.next.map(({ command }) => command)

describe('a queued run', () => {
  it('begins next', () => {
    expect(queuedRun(place())).toEqual({
      headline: 'It is queued and begins next.',
      findings: [{ cause: 'next', text: 'It is queued and begins next.', events: [1] }],
      next: [{ command: 'reeve logs -f r1', why: 'watch it' }],
    })
  })

  it('waits for its turn, and for a limit', () => {
    expect(queuedRun(place({ position: 4, size: 9, reason: 'its turn comes after others' })).findings).toEqual([
      { cause: 'turn', text: 'It is number 4 of 9 in the queue: its turn comes after others.', events: [1] },
    ])
    const limited = queuedRun(place({ position: 1, size: 9, reason: 'project limit 3 of 3' }))
    expect(limited.findings[0]?.cause).toBe('limits')
    expect(limited.headline).toBe('It is number 1 of 9 in the queue: project limit 3 of 3.')
    expect(commands(limited)).toEqual(['reeve queue'])
  })

  it('is stopped by a pause of the queue', () => {
    const pause = { scope: '*', mode: 'paused', actor: 'ann', since: NOW - 120 * MIN } as const
    const told = queuedRun(place({ pauses: [pause], position: null, reason: 'x' }))
    expect(told.headline).toBe('The queue is paused, by ann for 2 h.')
    expect(told.findings[0]?.cause).toBe('queue_paused')
    expect(commands(told)).toEqual(['reeve queue resume'])
  })

  it('lacks a key, or the isolation that it needs', () => {
    const held = 'it needs OPENAI_API_KEY, which the daemon does not have; where it is set: reeve resume r1'
    const told = queuedRun(place({ held, position: null, reason: held }))
    expect(told.findings[0]).toMatchObject({ cause: 'held', text: `Its turn has come, and it is not begun: ${held}.` })
    expect(commands(told)).toEqual(['reeve resume r1'])
  })

  it('is scheduled', () => {
    const told = queuedRun(place({ position: null, reason: 'x' }), {}, { runAt: NOW + 180 * MIN })
    expect(told.headline).toBe('It does not start before 2026-01-01T15:00:00.000Z, in 3 h.')
    expect(told.findings[0]?.cause).toBe('scheduled')
  })

  it('has nobody to work on it', () => {
    const told = queuedRun(place(), { workers: false })
    expect(told.findings[0]).toMatchObject({ cause: 'no_worker' })
    expect(commands(told)).toEqual(['reeve daemon status'])
  })

  it('has killed its process before', () => {
    const died: Told[] = [['run.queued'], ['run.started'], ['run.interrupted'], ['run.started'], ['run.interrupted']]
    const told = diagnose(facts({ state: 'queued', crashes: 2 }, died, { queue: place() }))
    expect(told.findings[1]).toEqual({
      cause: 'crashes',
      text: 'The process that worked on it has died 2 times in a row since its last finished step.',
      events: [3, 5],
    })
  })
})

describe('a run at work', () => {
  const atWork: Told[] = [
    ['run.started', {}, 30],
    ['step.started', { step: 'plan', kind: 'agent', role: 'architect' }, 29],
    ['step.finished', { step: 'plan' }, 20],
    ['step.started', { step: 'implement-1', kind: 'agent', role: 'implementer' }, 12],
    ['provider.chosen', { step: 'implement-1', provider: 'claude' }, 11],
  ]

  it('is in a step, with its last sign of life', () => {
    const told = diagnose(facts({ state: 'running', node: 'n' }, atWork))
    expect(told.findings).toEqual([
      {
        cause: 'at_work',
        text: 'Step "implement-1" (implementer, claude) has been at work for 12 min. Last sign of life: provider.chosen, 11 min ago.',
        events: [4, 5],
      },
    ])
  })

  it('has been silent for too long', () => {
    const told = diagnose(
      facts(
        { state: 'running', node: 'n' },
        atWork.map(([type, data = {}, ago = 0]) => [type, data, ago + 60] as const),
      ),
    )
    expect(told.findings[0]?.cause).toBe('silent')
    expect(commands(told)).toEqual(['reeve logs r1', 'reeve restart r1', 'reeve stop r1'])
  })

  it('has lost its process', () => {
    const told = diagnose(facts({ state: 'running', node: 'n' }, atWork, { nodeLives: false }))
    expect(told.headline).toMatch(/^The process that worked on it is gone\./)
    expect(told.findings[0]).toMatchObject({ cause: 'process_gone', events: [1] })
  })

  it('is about to pause', () => {
    const told = diagnose(facts({ state: 'running', node: 'n' }, [...atWork, ['run.paused', { actor: 'ann' }]], { pausing: true }))
    expect(told.findings[1]).toEqual({ cause: 'pausing', text: 'It pauses before its next step.', events: [6] })
  })

  it('uses providers that are left alone, on a disk that is full', () => {
    const closed = [
      { provider: 'claude', class: 'rate_limited', problem: 'too many requests', forMs: 5 * MIN },
      { provider: 'local', class: 'network', problem: 'refused', forMs: 30_000 },
    ]
    const told = diagnose(facts({ state: 'running', node: 'n' }, atWork, { closed, freeBytes: 50 * 1024 * 1024 }))
    expect(told.findings.slice(1)).toEqual([
      {
        cause: 'provider_limited',
        text: 'Provider claude is left alone for another 5 min (rate_limited: too many requests).',
        events: [5],
      },
      { cause: 'provider_failed', text: 'Provider local is left alone for another 30 s (network: refused).', events: [] },
      { cause: 'disk_full', text: 'The disk of the data folder is full: 50 MB are free.', events: [] },
    ])
  })
})

describe('a run that waits', () => {
  const waits = (reason: RunRow['reason'], told: readonly Told[], more: Partial<Facts> = {}, message = 'Because.') =>
    diagnose(facts({ state: 'waiting', reason, message }, told, more))

  it('for a person', () => {
    const told = waits('approval', [
      ['approval.asked', { what: 'land', message: 'Shall it land?' }, 45],
      ['run.waiting', { reason: 'approval' }, 45],
    ])
    expect(told.headline).toBe('It has waited for 45 min for a person to decide on "land": Shall it land?')
    expect(told.findings[0]).toMatchObject({ cause: 'approval', events: [1, 2] })
    expect(commands(told)).toEqual(['reeve diff r1', 'reeve approve r1', 'reeve reject r1 --reason "..."'])
  })

  it('because somebody has paused it', () => {
    const told = waits('paused', [
      ['run.paused', { actor: 'ann' }, 8],
      ['run.waiting', {}, 5],
    ])
    expect(told.headline).toBe('It was paused by ann and has rested for 5 min.')
    expect(commands(told)).toEqual(['reeve resume r1'])
  })

  it('for a quota, until a time', () => {
    const told = waits(
      'quota',
      [
        ['provider.limited', { provider: 'claude', class: 'quota' }, 3],
        ['run.waiting', {}, 3],
      ],
      { wakesAt: NOW + 90 * MIN },
      'claude has no quota left',
    )
    expect(told.headline).toBe('It has waited for 3 min for a provider: claude has no quota left. It goes on by itself in 2 h.')
    expect(told.findings[0]).toMatchObject({ cause: 'quota', events: [1, 2] })
  })

  it('for a budget', () => {
    const told = waits('budget', [
      ['budget.reached', {}, 2],
      ['run.waiting', {}, 2],
    ])
    expect(told.findings[0]).toMatchObject({ cause: 'budget', events: [1, 2] })
    expect(commands(told)).toEqual(['reeve resume r1'])
  })

  it('for other runs, and says which one at their end holds all up', () => {
    const told = waits('dependency', [['run.waiting']], {
      dependencies: [
        { run: 'r2', task: 'api', status: 'waiting', reason: 'dependency', depth: 1 },
        { run: 'r3', task: 'model', status: 'waiting', reason: 'approval', depth: 2 },
      ],
    })
    expect(told.headline).toBe(
      'It waits for task "api" (run r2, waiting: dependency). What holds all of it up is task "model" (run r3, waiting: approval).',
    )
    expect(commands(told)).toEqual(['reeve diagnose r3'])
  })
})

describe('a run that has failed', () => {
  const failed = (reason: RunRow['reason'], message: string, told: readonly Told[], more: Partial<Facts> = {}, row: Partial<RunRow> = {}) =>
    diagnose(facts({ state: 'failed', reason, message, startedAt: NOW - 30 * MIN, ...row }, told, more))
  const gate = (name: string, findings: { attribution: string; message: string }[]) => ({
    name,
    status: 'failed',
    findings: findings.map((it) => ({ file: 'src/a.ts', line: 3, severity: 'error', rule: 'x', ...it })),
  })

  it('by gates, with whose fault each failure is', () => {
    const verdict = {
      gates: [
        gate('tests', [
          { attribution: 'introduced', message: 'expected 1\nmore' },
          { attribution: 'pre-existing', message: 'old' },
        ]),
      ],
      redProof: { status: 'refuted', reason: 'the new test passes without the change' },
    } as unknown as NonNullable<RunRow['facts']['verdict']>
    const told = failed(
      'gates',
      '1 gate failed',
      [['gate.finished', { gate: 'tests' }], ['proof.finished'], ['verdict.reached'], ['attempt.rejected', {}]],
      {},
      { facts: { verdict } },
    )
    expect(told.findings).toEqual([
      { cause: 'gates', text: 'The gates said no: 1 gate failed. 1 attempt was rejected.', events: [3, 4] },
      { cause: 'gates', text: 'Gate tests failed (1 introduced, 1 pre-existing): src/a.ts:3 expected 1.', events: [1] },
      { cause: 'gates', text: 'The proof by tests failed: the new test passes without the change.', events: [2] },
    ])
    expect(commands(told)).toEqual(['reeve show r1', 'reeve diff r1', 'reeve retry r1'])
  })

  it('because a person said no', () => {
    const told = failed('gates', 'You said no', [['verdict.reached'], ['approval.refused', { actor: 'ann', comment: 'too large' }]])
    expect(told.headline).toBe('ann has rejected it: too large.')
  })

  it('by its budget', () => {
    const told = failed('budget', '$1.00 of $1.00 is spent', [['budget.reached']])
    expect(told.findings[0]).toEqual({ cause: 'budget', text: 'Its budget was used up: $1.00 of $1.00 is spent.', events: [1] })
    expect(commands(told)).toEqual(['reeve retry r1 --max-usd <n>'])
  })

  it('by its time', () => {
    const told = failed('timeout', '30 minutes are over', [['step.started', { step: 'gates-2' }]])
    expect(told.headline).toBe('Its time was up in step "gates-2": 30 minutes are over.')
  })

  it('by killing its process again and again', () => {
    const told = failed('crash_loop', 'Its process died 6 times in a row without finishing a step.', [
      ['step.started', { step: 'implement-1' }],
      ['run.interrupted'],
    ])
    expect(told.findings[0]).toMatchObject({ cause: 'crash_loop', events: [2] })
    expect(told.headline).toContain('Each time step "implement-1" was at work')
    expect(commands(told)).toEqual(['reeve daemon logs', 'reeve retry r1'])
  })

  it('since a run that it depends on has failed', () => {
    const on = { run: 'r2', task: 'api', status: 'failed', reason: 'gates', depth: 1 } as const
    const told = failed('error', 'It depends on task "api"', [['run.finished']], { dependencies: [on] }, { startedAt: null })
    expect(told.headline).toBe('It never began: task "api" (run r2), which it depends on, failed.')
    expect(commands(told)).toEqual(['reeve diagnose r2', 'reeve retry r1'])
  })

  it('by a provider', () => {
    const told = failed('error', 'No provider could go on', [
      ['step.started', { step: 'plan' }],
      ['provider.failed', { step: 'plan', provider: 'claude', class: 'auth', problem: 'the key is wrong' }],
      ['step.failed', { step: 'plan', problem: 'the key is wrong' }],
    ])
    expect(told.findings[0]).toEqual({
      cause: 'provider_failed',
      text: 'It failed in step "plan": No provider could go on. Provider claude failed (auth): the key is wrong.',
      events: [3, 2],
    })
    expect(commands(told)).toEqual(['reeve providers test', 'reeve retry r1'])
  })

  it('by a full disk, by too little isolation, by anything else', () => {
    const by = (message: string) => failed('error', message, [['step.failed', { step: 's', problem: message }]]).findings[0]?.cause
    expect(by('ENOSPC: no space left on device, write')).toBe('disk_full')
    expect(by('The isolation of this machine is L0 none, and this run needs L2')).toBe('isolation')
    expect(by('something')).toBe('error')
  })

  it('after a command was ended or a host refused', () => {
    const told = failed('error', 'x', [
      ['limit.broken', { limit: 'memory', peak: 5000, allowed: 4096, unit: 'MB', setting: 'sandbox.limits.memory_mb' }],
      ['network.refused', { target: 'evil.example:443', reason: 'not in the list' }],
    ])
    expect(told.findings.slice(1).map((it) => it.cause)).toEqual(['resource_limit', 'network_refused'])
    expect(told.findings[1]?.text).toContain('more memory than it may (5000 of 4096 MB)')
  })
})

it('tells of a run that has ended well whether it has landed, and of one that was stopped by whom', () => {
  const ended = diagnose(facts({ state: 'succeeded', facts: { branch: 'auto/x' } }, [['run.finished']]))
  expect(ended.findings.map((it) => it.text)).toEqual(['It has succeeded.', 'Its change is on branch auto/x and has not landed.'])
  expect(commands(ended)).toEqual(['reeve show r1', 'reeve land r1'])
  const stopped = diagnose(facts({ state: 'cancelled', message: 'Stopped by ann.' }, [['run.finished']]))
  expect(stopped.headline).toBe('Stopped by ann.')
})
