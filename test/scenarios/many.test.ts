import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/core/event.ts'
import type { RunView } from '../../src/core/run.ts'
import { fingerprint, reeveRefs } from '../support/fingerprint.ts'
import { acts, fixtureProject, type Reply, write } from '../support/fixture-project.ts'
import { processesOfRun } from '../support/processes.ts'
import { type Finished, type Reeve, reeveFor, type TaskFile } from '../support/reeve.ts'
import { git } from '../support/repository.ts'

const RUNS = 20
const numbers = Array.from({ length: RUNS }, (_, at) => at + 1)

const task = (number: number): TaskFile => ({
  id: `times-${number}`,
  title: `Multiply by ${number}`,
  description: `A function times${number} that multiplies by ${number}.`,
})

function replies(number: number): Reply {
  const test = `import assert from 'node:assert/strict'\nimport { test } from 'node:test'\nimport { times${number} } from '../src/times-${number}.js'\n\ntest('multiplies', () => assert.equal(times${number}(3), ${3 * number}))\n`
  const code = `export const times${number} = (it) => it * ${number}\n`
  const turns = acts(write(`test/times-${number}.test.js`, test), write(`src/times-${number}.js`, code))
  return { role: 'implementer', task: `times-${number}`, turns }
}

function crowdedProject(): { project: string; reeve: Reeve; before: ReturnType<typeof fingerprint> } {
  const config = '[runs]\nworkflow = "direct"\nmax_attempts = 1\nmax_concurrent = 20\n'
  const project = fixtureProject('node-test', { replies: numbers.map(replies), config })
  return { project, reeve: reeveFor(project), before: fingerprint(project) }
}

function eventsOf(all: readonly RunEvent[], run: string): RunEvent[] {
  return all.filter((it) => it.run === run)
}

function mostAtOnce(runs: readonly RunView[]): number {
  const atWork = (when: number) => runs.filter((it) => (it.startedAt ?? 0) <= when && when < (it.finishedAt ?? 0)).length
  return Math.max(...runs.map((it) => atWork(it.startedAt ?? 0)))
}

async function expectAllRight(place: ReturnType<typeof crowdedProject>, ended: readonly Finished[]): Promise<void> {
  const { project, reeve, before } = place
  const runs = ended.flatMap((it) => it.runs)
  const events = ended.flatMap((it) => it.events)
  const told = ended.map((it) => it.text).join('\n')
  expect(
    ended.map((it) => it.exitCode),
    told,
  ).toEqual(ended.map(() => 0))
  expect(new Set(runs.map((it) => it.id)).size, 'every task is one run').toBe(RUNS)
  expect(mostAtOnce(runs), 'runs that were at work at the same time').toBeGreaterThanOrEqual(RUNS / 2)
  for (const run of runs) {
    const number = run.task.id.replace('times-', '')
    expect([run.status, run.verdict?.redProof.status], told).toEqual(['succeeded', 'proved'])
    expect(git(project, 'diff', '--name-only', run.base, run.branch).split('\n'), 'its own files and no others').toEqual([
      `src/times-${number}.js`,
      `test/times-${number}.test.js`,
    ])
    const own = eventsOf(events, run.id)
    expect(
      own.map((it) => it.seq),
      `events of ${run.id}`,
    ).toEqual(own.map((_, at) => at + 1))
    expect(own.at(-1)?.type).toBe('run.finished')
    expect(processesOfRun(run.id)).toEqual([])
  }
  expect(fingerprint(project), 'the checkout of the user, byte for byte').toEqual(before)

  const cleaned = await reeve(['clean', '--all'])
  expect(cleaned.exitCode, cleaned.text).toBe(0)
  expect(git(project, 'worktree', 'list').split('\n'), 'worktrees').toHaveLength(1)
  expect(readdirSync(join(reeve.home, 'reeve/data/runs')), 'workspaces').toEqual([])
  expect(
    reeveRefs(project).filter((it) => it.startsWith('refs/heads/')),
    'branches',
  ).toEqual([])
  for (const run of runs) expect(git(project, 'cat-file', '-t', run.commit ?? ''), 'the work stays in git').toBe('commit')
  expect(fingerprint(project)).toEqual(before)
}

/** Limits of the whole machine are for other tests. */
const ROOM = { env: { REEVE_QUEUE__MAX_CONCURRENT: '20' } }

describe('twenty runs at once on one repository', { timeout: 240_000 }, () => {
  it.each(process.env['REEVE_MATRIX'] === 'all' ? [1, 4] : [4])('in %i processes that share a data folder', async (processes) => {
    const place = crowdedProject()
    const each = numbers.length / processes
    const parts = Array.from({ length: processes }, (_, at) => numbers.slice(at * each, (at + 1) * each).map(task))
    await expectAllRight(place, await Promise.all(parts.map((tasks) => place.reeve.run(tasks, ROOM))))
  })
})
