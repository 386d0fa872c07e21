import { describe, expect, it } from 'vitest'
import type { EventType, RunEvent } from './event.ts'
import { createProgress, progressOf } from './progress.ts'

let seq = 0
function event(type: EventType, data: RunEvent['data'] = {}): RunEvent {
  seq += 1
  return { run: 'r1', seq, ts: 1000 * seq, type, data }
}
const began = (step: string) => event('step.started', { step })
const done = (step: string, status = 'succeeded') => event('step.finished', { step, status })

const BUILD: RunEvent[] = [
  began('workspace'),
  done('workspace'),
  began('plan'),
  event('plan.made', { step: 'plan', summary: 's', parts: ['one', 'two'] }),
  done('plan'),
  began('part-1/tests'),
  done('part-1/tests'),
  done('part-1/tests/protect'),
  began('part-1/attempt-1/implement'),
  done('part-1/attempt-1/implement'),
  began('part-1/attempt-1/gates'),
  event('verdict.reached', { step: 'part-1/attempt-1/gates', status: 'passed' }),
  done('part-1/attempt-1/gates'),
  began('part-2/attempt-1/implement'),
]

describe('the progress of a run', () => {
  it('begins at nothing', () => {
    expect(progressOf([event('run.queued')])).toEqual({ percent: 0, stage: 'queued', milestones: [] })
  })

  it('counts the parts of the plan', () => {
    const { percent, stage, milestones } = progressOf(BUILD)
    expect({ percent, stage }).toEqual({ percent: 57, stage: 'implementing' })
    expect(milestones.map((it) => it.name)).toEqual([
      'workspace is ready',
      'plan is made: 2 parts',
      'tests of part 1 of 2 are written',
      'part 1 of 2 is green',
    ])
  })

  it('never falls, whatever is tried again', () => {
    const tracker = createProgress()
    const seen: number[] = []
    const again = [
      done('part-2/attempt-1/implement'),
      began('part-2/attempt-1/gates'),
      done('part-2/attempt-1/gates', 'failed'),
      began('part-2/attempt-1/review'),
      began('part-2/attempt-2/implement~2'),
      began('part-2/attempt-2/implement/budget-2'),
    ]
    for (const it of [...BUILD, ...again]) {
      tracker.add(it)
      seen.push(tracker.now().percent)
    }
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(tracker.now()).toMatchObject({ percent: 70, stage: 'implementing' })
  })

  it('takes gates that said no for nothing reached', () => {
    const tries = [began('direct/attempt-1/gates'), done('direct/attempt-1/gates', 'failed')]
    expect(progressOf(tries)).toEqual({ percent: 60, stage: 'checking', milestones: [] })
  })

  it('is whole only for a run that has succeeded', () => {
    const end = (status: string) => progressOf([...BUILD, event('run.finished', { status })])
    expect(end('succeeded')).toMatchObject({ percent: 100, stage: 'ended' })
    expect(end('failed')).toMatchObject({ percent: 57, stage: 'ended' })
  })

  it('says when the tests were proved and where it landed', () => {
    const { milestones } = progressOf([event('proof.finished', { status: 'proved' }), event('run.landed', { branch: 'main' })])
    expect(milestones.map((it) => it.name)).toEqual(['the tests are proved', 'landed on main'])
  })
})
