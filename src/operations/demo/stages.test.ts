import { expect, it } from 'vitest'
import type { EventType, RunEvent } from '../../core/event.ts'
import type { RunView } from '../../core/run.ts'
import { isolationStage, landStage, stagesAfterTheKill, stagesBeforeTheKill, verifyStage } from './stages.ts'

const step = (name: string, status = 'succeeded', summary = 'fine') => ({ name, status, summary })
const event = (seq: number, type: EventType, data: RunEvent['data'] = {}): RunEvent => ({ run: 'r', seq, ts: 0, type, data })

function record(change: { steps?: object[]; events?: RunEvent[]; status?: string; proof?: object } = {}) {
  return {
    run: {
      isolation: 'L2 os-sandbox',
      status: change.status ?? 'succeeded',
      steps:
        change.steps ?? ['plan', 'part-1/attempt-1/implement', 'part-1/attempt-1/review', 'part-1/attempt-2/gates'].map((it) => step(it)),
      verdict: {
        gates: [{ name: 'tests', status: 'passed', tests: { total: 2, passed: 2 } }],
        redProof: change.proof ?? { status: 'proved', red: ['a'] },
      },
    } as unknown as RunView,
    events: change.events ?? [
      event(1, 'verdict.reached', { step: 'part-1/tests/red', status: 'failed', summary: '1 test fails' }),
      event(2, 'attempt.rejected', { summary: '1 test fails' }),
      event(3, 'run.interrupted'),
    ],
  }
}

const happened = (stages: { name: string; happened: boolean }[]) => Object.fromEntries(stages.map((it) => [it.name, it.happened]))
const KILLED = { signal: 'SIGKILL' }

it('takes all stages as happened when the record shows them', () => {
  expect(happened(stagesBeforeTheKill(record(), KILLED))).toEqual({
    plan: true,
    'tests first': true,
    'wrong attempt': true,
    review: true,
    'kill -9': true,
  })
  expect(happened(stagesAfterTheKill(record()))).toEqual({ resumed: true, 'right attempt': true, 'red proof': true })
  expect(verifyStage({ exitCode: 0, stdout: 'x\nMATCH everything\n' }).happened).toBe(true)
  expect(landStage(true, true).happened).toBe(true)
})

it.each([
  ['plan', record({ steps: [] })],
  ['tests first', record({ events: [event(1, 'verdict.reached', { step: 'part-1/tests/red', status: 'passed' })] })],
  ['wrong attempt', record({ events: [] })],
  ['review', record({ steps: [step('part-1/attempt-1/review', 'failed')] })],
])('says that "%s" did not happen', (name, it) => {
  expect(happened(stagesBeforeTheKill(it, KILLED))[name]).toBe(false)
})

it.each([
  [
    'resumed',
    'a step was repeated',
    record({ events: [event(1, 'run.interrupted'), event(2, 'step.finished', { step: 'a' }), event(3, 'step.finished', { step: 'a' })] }),
  ],
  ['resumed', 'an event is missing', record({ events: [event(1, 'run.interrupted'), event(3, 'step.finished', { step: 'a' })] })],
  ['resumed', 'it was never interrupted', record({ events: [event(1, 'run.started')] })],
  ['resumed', 'the run failed', record({ status: 'failed' })],
  ['right attempt', 'it is not green', record({ steps: [step('part-1/attempt-2/gates', 'failed')] })],
  ['red proof', 'nothing was red', record({ proof: { status: 'proved', red: [] } })],
])('says that "%s" did not happen when %s', (name, _why, it) => {
  expect(happened(stagesAfterTheKill(it))[name]).toBe(false)
})

it('says so when the run was held at another level than this machine has', () => {
  expect(isolationStage(record(), 'L2 os-sandbox').happened).toBe(true)
  expect(isolationStage(record(), 'L1 guarded').happened).toBe(false)
})

it('says so when the process was not killed, the evidence does not match, or nothing landed', () => {
  expect(happened(stagesBeforeTheKill(record(), { signal: null }))['kill -9']).toBe(false)
  expect(verifyStage({ exitCode: 1, stdout: 'MISMATCH' }).happened).toBe(false)
  expect(verifyStage({ exitCode: 0, stdout: '' }).happened).toBe(false)
  expect(landStage(true, false).happened).toBe(false)
})
