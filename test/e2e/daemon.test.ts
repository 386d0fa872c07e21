import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/core/event.ts'
import { goodDirect, RANGES } from '../scenarios/cases.ts'
import { acts, fixtureProject, type Reply } from '../support/fixture-project.ts'
import { processesOfRun } from '../support/processes.ts'
import { ndjson, writeTask } from '../support/reeve.ts'
import { residentReeve } from '../support/resident.ts'

const IMPLEMENT = 'direct/attempt-1/implement'

/** The implementer thinks that long before its first act. */
function thinking(delay: string): Reply[] {
  return [{ role: 'implementer', turns: [{ delay, calls: [RANGES.tests] }, ...acts(...RANGES.right)] }]
}

/** It changes nothing, so no gate has to be run: the run fails as soon as it has thought. */
const FRUITLESS: Reply[] = [{ role: 'implementer', turns: [{ delay: '2s', text: 'There is nothing to do.' }] }]

function projectWith(replies: readonly Reply[] = goodDirect(RANGES), env: Readonly<Record<string, string>> = {}) {
  const project = fixtureProject('node-test', { replies, config: '[runs]\nworkflow = "direct"\nmax_attempts = 1\n' })
  return residentReeve(project, env)
}

const isImplementing = (line: string) => {
  const { type, data } = JSON.parse(line) as RunEvent
  return type === 'step.started' && data['step'] === IMPLEMENT
}

const finishedSteps = (events: readonly RunEvent[]) => events.filter((it) => it.type === 'step.finished').map((it) => it.data['step'])

// Whole runs and a dozen processes: a busy two-core machine needs the room.
describe('commands and their daemon', { timeout: 180_000 }, () => {
  it('a run goes on when the terminal that began it is closed; two others see it to its end', async () => {
    const reeve = projectWith(thinking('3s'))
    const first = reeve.start(['run', '--file', writeTask(reeve.home, RANGES.task)])
    await first.line((it) => it.includes(IMPLEMENT))
    const listed = await reeve(['ls'])
    expect(listed.stdout, listed.text).toMatch(/running/)
    const others = [reeve.start(['logs', 'last', '-f', '--json']), reeve.start(['logs', 'last', '-f', '--json'])]
    for (const it of others) await it.line(isImplementing)

    first.child.kill('SIGHUP')
    const left = await first.ended
    expect(left.exitCode, left.text).toBe(130)
    expect(left.stdout).toMatch(/The run goes on: reeve logs -f (\w+)\nStop it with: reeve stop \1\n$/)

    const seen = await Promise.all(others.map((it) => it.ended))
    const events = await reeve.events()
    for (const it of seen) {
      expect(it.exitCode, it.text).toBe(0)
      expect(ndjson(it.stdout)).toEqual(events)
    }
    expect((await reeve.show()).status).toBe('succeeded')
    expect(new Set(finishedSteps(events)).size).toBe(finishedSteps(events).length)
    expect(events.filter((it) => it.type === 'run.started')).toHaveLength(1)
  })

  it('kill -9 of the daemon: the next command brings it back, and the run ends right', async () => {
    const reeve = projectWith(thinking('2s'))
    const queued = await reeve(['run', '--file', writeTask(reeve.home, RANGES.task), '--detach'])
    expect(queued.stdout, queued.text).toMatch(/is queued: .*\nThe daemon works on it\. Watch it with: reeve logs -f \w+\n$/)
    const watching = reeve.start(['logs', 'last', '-f', '--json'])
    await watching.line(isImplementing)
    watching.child.kill('SIGINT')
    expect((await watching.ended).exitCode).toBe(130)

    const before = reeve.place()
    process.kill(before?.pid ?? 0, 'SIGKILL')
    const status = await reeve(['daemon', 'status'])
    expect([status.exitCode, status.stdout]).toEqual([4, expect.stringContaining('No daemon is there.')])

    const resumed = await reeve(['resume', 'last', '--json'])
    expect(resumed.exitCode, resumed.text).toBe(0)
    expect(reeve.place()?.pid).not.toBe(before?.pid)
    const run = await reeve.show()
    const events = await reeve.events()
    expect([run.status, run.verdict?.redProof.status]).toEqual(['succeeded', 'proved'])
    expect(events.filter((it) => it.type === 'run.interrupted')).toHaveLength(1)
    expect(new Set(finishedSteps(events)).size, 'no step is kept twice').toBe(finishedSteps(events).length)
    expect(events.map((it) => it.seq)).toEqual(events.map((_, at) => at + 1))
    expect(processesOfRun(run.id)).toEqual([])
  })

  it('whoever looks on sees the run to its end although the daemon is killed meanwhile', async () => {
    const reeve = projectWith(FRUITLESS)
    const first = reeve.start(['run', '--file', writeTask(reeve.home, RANGES.task), '--json'])
    await first.line(isImplementing)
    process.kill(reeve.place()?.pid ?? 0, 'SIGKILL')
    const ended = await first.ended
    expect(ended.exitCode, ended.text).toBe(1)
    const events = await reeve.events()
    expect(ndjson(ended.stdout).slice(0, -1)).toEqual(events)
    expect(events.filter((it) => it.type === 'run.interrupted')).toHaveLength(1)
  })

  it('several commands at once start one daemon, with files that are its owner’s alone; a second one is refused', async () => {
    const reeve = projectWith()
    const lists = await Promise.all([1, 2, 3].map(() => reeve(['ls'])))
    for (const it of lists) expect(it.exitCode, it.text).toBe(0)
    const state = join(reeve.home, 'reeve', 'state')
    const log = readFileSync(join(state, 'logs', 'daemon.log'), 'utf8')
    expect(log.match(/the daemon listens/g), log).toHaveLength(1)
    const place = reeve.place()
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
    expect([state, join(state, 'daemon.json'), join(state, 'token'), place?.socket ?? ''].map(mode)).toEqual(['700', '600', '600', '600'])

    const second = await reeve(['serve'])
    expect([second.exitCode, second.stderr]).toEqual([
      3,
      expect.stringContaining(`A daemon (process ${place?.pid}) works on the data folder "${state}" already.`),
    ])
    const status = await reeve.json<{ daemon: { pid: number; startedBy: string } }>('daemon', 'status', '--json')
    expect(status.daemon).toMatchObject({ pid: place?.pid, startedBy: 'command' })
    const stopped = await reeve(['daemon', 'stop'])
    expect(stopped.stdout, stopped.text).toBe('The daemon has ended.\n')
    expect(reeve.place()).toBeNull()
  })

  it('ends by itself when nobody needs it, not while a run is at work', async () => {
    const reeve = projectWith(FRUITLESS, { REEVE_DAEMON__IDLE_MINUTES: '0.01' })
    const ran = await reeve(['run', '--file', writeTask(reeve.home, RANGES.task), '--detach'])
    expect(ran.exitCode, ran.text).toBe(0)
    await expect.poll(async () => (await reeve(['daemon', 'status'])).exitCode, { timeout: 60_000, interval: 200 }).toBe(4)
    const log = readFileSync(join(reeve.home, 'reeve', 'state', 'logs', 'daemon.log'), 'utf8')
    expect(log).toContain('nobody has needed it for 0.01 minutes')
    expect(log.match(/the daemon listens/g), 'the same one until the end').toHaveLength(1)
    expect((await reeve.show()).status).toBe('failed')
  })

  it('is stopped at a step boundary: the step at work ends, whoever looks on is told, the next daemon goes on', async () => {
    const reeve = projectWith(FRUITLESS)
    const first = reeve.start(['run', '--file', writeTask(reeve.home, RANGES.task), '--json'])
    await first.line(isImplementing)
    const stopped = await reeve(['daemon', 'stop'])
    expect([stopped.exitCode, stopped.stdout]).toEqual([0, expect.stringContaining('The daemon has ended.')])
    const left = await first.ended
    expect([left.exitCode, left.stdout.trimEnd().split('\n').at(-1)], left.text).toEqual([3, expect.stringContaining('"draining"')])
    expect((await reeve(['daemon', 'status'])).exitCode).toBe(4)

    const resumed = await reeve(['resume', 'last', '--json'])
    expect(resumed.exitCode, resumed.text).toBe(1)
    const events = await reeve.events()
    expect(
      events.filter((it) => it.type === 'step.started' && it.data['step'] === IMPLEMENT),
      'it was not begun again',
    ).toHaveLength(1)
    expect(events.filter((it) => it.type === 'run.interrupted')).toEqual([])
  })
})
