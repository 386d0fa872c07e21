import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/core/event.ts'
import { acts, edit, fixtureProject, type Reply, writeReplies } from '../support/fixture-project.ts'
import { processesOfRun } from '../support/processes.ts'
import { reeveFor, writeTask } from '../support/reeve.ts'
import { goodDirect, RANGES } from './cases.ts'

const SLOW: Reply[] = [{ role: 'implementer', turns: [{ delay: '20s', text: 'Too late.' }] }]

function projectWith(replies: readonly Reply[] = goodDirect(RANGES), config = '') {
  const project = fixtureProject('node-test', { replies, config: `[runs]\nworkflow = "direct"\nmax_attempts = 2\n${config}` })
  return { project, reeve: reeveFor(project) }
}

const ofStep = (step: string) => (line: string) => {
  const event = JSON.parse(line) as RunEvent
  return event.type === 'step.started' && event.data?.['step'] === step
}

describe('a run at work is steered from another terminal', () => {
  it('pauses before its next step, and goes on', async () => {
    const { reeve } = projectWith([{ role: 'implementer', turns: [{ delay: '2s', calls: [RANGES.tests] }, ...acts(...RANGES.right)] }])
    const started = reeve.start(['run', '--file', writeTask(reeve.home, RANGES.task), '--json'])
    await started.line(ofStep('direct/attempt-1/implement'))
    const paused = await reeve(['pause', 'last'])
    expect(paused.exitCode, paused.text).toBe(0)
    const held = await started.ended
    expect(held.exitCode, held.text).toBe(5)
    const waiting = await reeve.show()
    expect([waiting.status, waiting.reason]).toEqual(['waiting', 'paused'])
    expect(waiting.steps.find((it) => it.name === 'direct/attempt-1/implement')?.status, 'the step at work was finished').toBe('succeeded')

    const resumed = await reeve(['resume', 'last', '--json'])
    expect(resumed.exitCode, resumed.text).toBe(0)
    expect(
      (await reeve.events()).filter((it) => it.data['step'] === 'direct/attempt-1/implement' && it.type === 'step.started'),
    ).toHaveLength(1)
  })

  it('stops for good: the agent is ended, and its work is kept', async () => {
    const { reeve } = projectWith([
      { role: 'implementer', turns: [{ calls: [RANGES.tests] }, ...SLOW.flatMap((it) => it['turns'] as Reply[])] },
    ])
    const started = reeve.start(['run', '--file', writeTask(reeve.home, RANGES.task), '--json'])
    await started.line((line) => (JSON.parse(line) as RunEvent).type === 'agent.acted')
    const stopped = await reeve(['stop', 'last'])
    expect(stopped.exitCode, stopped.text).toBe(0)
    const ended = await started.ended
    expect(ended.exitCode, ended.text).toBe(1)
    const run = await reeve.show()
    expect(run.status).toBe('cancelled')
    expect(processesOfRun(run.id)).toEqual([])
    const again = await reeve(['resume', 'last'])
    expect(again.exitCode, 'a stopped run does not go on').toBe(2)
    expect(again.stderr).toContain('retry')
  })

  it('gives an instruction to the next agent', async () => {
    const { wrong, right, tests } = RANGES
    const undo = edit('src/ranges.js', String(wrong.input['new']), String(wrong.input['old']))
    const { reeve } = projectWith([
      { role: 'implementer', attempt: 1, turns: [{ delay: '1500ms', calls: [tests] }, ...acts(wrong)] },
      { role: 'implementer', attempt: 2, turns: acts(undo, ...right) },
    ])
    const started = reeve.start(['run', '--file', writeTask(reeve.home, RANGES.task), '--json'])
    await started.line(ofStep('direct/attempt-1/implement'))
    const sent = await reeve(['send', 'last', 'Mind', 'the', 'last', 'page'])
    expect(sent.exitCode, sent.text).toBe(0)
    expect((await started.ended).exitCode).toBe(0)
    expect(await reeve.events()).toContainEqual(
      expect.objectContaining({ type: 'message.sent', data: expect.objectContaining({ text: 'Mind the last page' }) }),
    )
  })

  it('leaves on Ctrl-C with exit code 130, and resume goes on', async () => {
    const { project, reeve } = projectWith(SLOW)
    const started = reeve.start(['run', '--file', writeTask(reeve.home, RANGES.task), '--json'])
    await started.line(ofStep('direct/attempt-1/implement'))
    started.child.kill('SIGINT')
    const left = await started.ended
    expect(left.exitCode, left.text).toBe(130)
    expect((await reeve.show()).status).toBe('queued')

    writeReplies(project, goodDirect(RANGES))
    const resumed = await reeve(['resume', 'last', '--json'])
    expect(resumed.exitCode, resumed.text).toBe(0)
    expect((await reeve.show()).status).toBe('succeeded')
  })

  it('is not taken over while a process works on it', async () => {
    const { reeve } = projectWith([{ role: 'implementer', turns: [{ delay: '3s', calls: [RANGES.tests] }, ...acts(...RANGES.right)] }])
    const started = reeve.start(['run', '--file', writeTask(reeve.home, RANGES.task), '--json'])
    await started.line(ofStep('direct/attempt-1/implement'))
    const second = await reeve(['resume', 'last'])
    expect(second.exitCode, second.text).toBe(2)
    expect(second.stderr).toMatch(/logs -f/)
    const ended = await started.ended
    expect(ended.exitCode, ended.text).toBe(0)
  })

  it('is tried again as a fresh run of the same task', async () => {
    const { project, reeve } = projectWith([{ role: 'implementer', turns: acts(RANGES.tests, RANGES.wrong) }], '')
    const failed = await reeve.run(RANGES.task)
    expect(failed.exitCode, failed.text).toBe(1)
    writeReplies(project, goodDirect(RANGES))
    const retried = await reeve(['retry', 'last', '--json'])
    expect(retried.exitCode, retried.text).toBe(0)
    const run = await reeve.show()
    expect(run.id).not.toBe(failed.run.id)
    expect(run.task.id).toBe(failed.run.task.id)
    expect(run.branch, 'its branch is its own').not.toBe(failed.run.branch)
  })
})
