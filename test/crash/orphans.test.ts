import { expect, it } from 'vitest'
import type { RunEvent } from '../../src/core/event.ts'
import { goodDirect, RANGES } from '../scenarios/cases.ts'
import { fixtureProject, shell, writeReplies } from '../support/fixture-project.ts'
import { processesOfRun } from '../support/processes.ts'
import { reeveFor, writeTask } from '../support/reeve.ts'

it.skipIf(process.platform !== 'linux')('ends what a killed reeve left at work before it goes on', async () => {
  // It would write into the workspace for ever, behind the back of whoever goes on.
  const endless = shell('touch begun; while true; do date > src/written-by-an-orphan.js; sleep 0.1; done')
  const project = fixtureProject('node-test', {
    replies: [{ role: 'implementer', turns: [{ calls: [endless] }] }],
    config: '[runs]\nworkflow = "direct"\n',
  })
  const reeve = reeveFor(project)
  // A sandbox dies with reeve (attack 29): this is what holds without one.
  const env = { REEVE_SANDBOX__LEVEL: 'guarded' }
  const started = reeve.start(['run', '--file', writeTask(reeve.home, RANGES.task), '--json'], { env })
  const first = JSON.parse(await started.line((line) => line.includes('provider.chosen'))) as RunEvent
  await expect.poll(() => processesOfRun(first.run).join('\n'), { timeout: 20_000 }).toContain('written-by-an-orphan')
  started.child.kill('SIGKILL')
  await started.ended
  expect(processesOfRun(first.run), 'the orphan lives on').not.toEqual([])

  writeReplies(project, goodDirect(RANGES))
  const resumed = await reeve(['resume', 'last', '--json'], { env })
  expect(resumed.exitCode, resumed.text).toBe(0)
  expect(processesOfRun(first.run)).toEqual([])
  const run = await reeve.show()
  expect([run.status, run.id]).toEqual(['succeeded', first.run])
  const diff = await reeve(['diff', 'last', '--stat'])
  expect(diff.stdout, 'what the orphan wrote is not in the result').not.toContain('orphan')
  const kept = await reeve(['rescue', 'last', '--json'])
  expect(kept.exitCode, kept.text).toBe(0)
  expect(kept.stdout, 'but it is kept').toMatch(/refs\/reeve\/attempts/)
})
