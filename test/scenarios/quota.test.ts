import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { RunEvent } from '../../src/core/event.ts'
import { testApp } from '../support/app.ts'
import { fixtureProject, type Reply } from '../support/fixture-project.ts'
import { goodDirect, RANGES } from './cases.ts'

const USAGE = { input: 1000, output: 50 }
// Longer than the other run takes to begin, so that it shows who has the worker.
const PAUSE_S = Number(process.env['REEVE_TEST_QUOTA_SECONDS'] ?? 5)

/** A turn for the tests, a turn for the change, in between a quota that is used up. The second turn is answered once. */
const WITH_QUOTA: Reply = {
  role: 'implementer',
  turns: [
    { calls: [RANGES.tests], usage: USAGE },
    { fail: 'quota', problem: 'The quota is used up.', retry_after: PAUSE_S, times: 1, calls: RANGES.right, usage: USAGE },
    { text: 'Done.', usage: USAGE },
  ],
}

it('parks a run that meets a quota in the middle, lets others work, and goes on in the same step without paying twice', async () => {
  const project = fixtureProject('node-test')
  const app = testApp(project)
  const client = app.open()
  const submit = async (id: string, replies: readonly Reply[]): Promise<string> => {
    const file = join(app.home, `${id}.yaml`)
    writeFileSync(file, stringify({ replies }))
    const runs = '[runs]\nworkflow = "direct"\nmax_attempts = 1\nmax_concurrent = 1\n'
    const provider = `[providers.${id}]\nkind = "scripted"\nfile = "${file}"\nprice = { input = 1, output = 2 }\n`
    writeFileSync(join(project, 'reeve.toml'), `${runs}[gates.coverage]\nenabled = false\n${provider}`)
    const { runs: submitted } = await client.call('runs.submit', {
      documents: [{ name: 'task.yaml', text: stringify({ ...RANGES.task, id }) }],
    })
    return submitted[0]?.id ?? ''
  }
  const limited = await submit('limited', [WITH_QUOTA])
  const free = await submit('free', goodDirect(RANGES))

  const events: RunEvent[] = []
  for await (const event of client.stream('runs.work', { runs: [limited, free] })) events.push(event)
  const of = (run: string, type: string) => events.filter((it) => it.run === run && it.type === type)
  const one = (run: string, type: string): RunEvent => {
    const found = of(run, type)
    expect(found, `${type} of ${run}`).toHaveLength(1)
    return found[0] as RunEvent
  }

  for (const run of [limited, free]) {
    const view = await client.call('runs.get', { run })
    expect(view.status, `${view.message}: ${JSON.stringify(view.steps)}`).toBe('succeeded')
  }
  const waiting = one(limited, 'run.waiting')
  expect(waiting.data).toMatchObject({ reason: 'quota', message: 'limited has reached its limit: The quota is used up.' })
  expect(one(limited, 'provider.limited').data).toMatchObject({ class: 'quota', retryAt: waiting.data['until'] })

  // The only worker was free: the other run began and ended in between.
  const woken = one(limited, 'run.woken')
  expect(woken.ts).toBeGreaterThanOrEqual(Number(waiting.data['until']))
  expect(one(free, 'run.started').ts).toBeGreaterThanOrEqual(waiting.ts)
  expect(one(free, 'run.started').ts).toBeLessThan(woken.ts)

  // The same step, from where it was: each turn was answered once, and paid once.
  const agents = of(limited, 'step.started').filter((it) => it.data['kind'] === 'agent')
  expect(new Set(agents.map((it) => it.data['step']))).toEqual(new Set(['direct/attempt-1/implement']))
  expect(of(limited, 'provider.chosen').map((it) => it.data['reason'])).toEqual(['the only one configured', 'it goes on where it was'])
  const view = await client.call('runs.get', { run: limited })
  expect(view.usage).toMatchObject({ inputTokens: 3 * USAGE.input, outputTokens: 3 * USAGE.output })
  expect(view.cost).toBeCloseTo((3 * (USAGE.input + 2 * USAGE.output)) / 1_000_000, 9)
  expect(of(limited, 'agent.acted').map((it) => it.data['target'])).toEqual([RANGES.testFile, RANGES.file])
  expect(of(limited, 'attempt.kept'), 'nothing was thrown away').toEqual([])

  const { decisions } = await client.call('runs.explain', { run: limited })
  expect(decisions.map((it) => it.type)).toEqual(
    expect.arrayContaining(['provider.chosen', 'provider.failed', 'provider.limited', 'run.waiting']),
  )
})
