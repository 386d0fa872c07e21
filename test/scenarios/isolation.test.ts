import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Card } from '../../src/steps/card.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { fixtureProject } from '../support/fixture-project.ts'
import { itNeeds } from '../support/needs.ts'
import { reeveFor } from '../support/reeve.ts'
import { git } from '../support/repository.ts'
import { goodDirect, RANGES } from './cases.ts'

const project = () => fixtureProject('node-test', { replies: goodDirect(RANGES), config: '[runs]\nworkflow = "direct"\n' })
// As on a machine without bubblewrap, whatever this one has.
const BARE = { REEVE_SANDBOX__MINIMUM: '', REEVE_SANDBOX__LEVEL: 'guarded' }

function cardOf(evidence: string | null): Card {
  return JSON.parse(readFileSync(join(evidence ?? '', 'card.json'), 'utf8')) as Card
}

it('does not start below the minimum, and at what a person accepts it says so in every record', async () => {
  const root = project()
  const before = fingerprint(root)
  const reeve = reeveFor(root)
  const refused = await reeve(['run', 'Do it'], { env: BARE })
  expect(refused.exitCode, refused.text).toBe(3)
  expect(refused.stderr).toMatch(/L1 guarded, and this run needs L2 os-sandbox: .*\n[^]*--accept-isolation guarded/)
  expect(fingerprint(root)).toEqual(before)
  expect(await reeve.json('ls', '--json'), 'no run was queued').toEqual([])

  const { run, events, text } = await reeve.run(RANGES.task, { env: BARE, args: ['--accept-isolation', 'guarded'] })
  expect([run.status, run.isolation], text).toEqual(['succeeded', 'L1 guarded'])
  expect(events.find((it) => it.type === 'isolation.measured')?.data).toMatchObject({ level: 'L1 guarded' })
  expect(cardOf(run.paths.evidence)).toMatchObject({ isolation: 'L1 guarded', held: { by: 'plain processes', needed: 'L1 guarded' } })
  const landed = await reeve(['land', 'last'], { env: BARE })
  expect(landed.exitCode, landed.text).toBe(0)
  expect(git(root, 'log', '-1', '--format=%(trailers:key=Reeve-Isolation,valueonly)', run.branch)).toBe('L1 guarded')

  const verified = await reeve(['verify', 'last'], { env: BARE })
  expect([verified.exitCode, verified.stdout], verified.text).toEqual([0, expect.stringContaining('  isolation L1 guarded\n')])
})

itNeeds('bubblewrap')(
  'runs in the sandbox of the operating system where nobody says otherwise, and names it with all that it holds',
  async () => {
    const reeve = reeveFor(project())
    const { run, text } = await reeve.run(RANGES.task, { env: { REEVE_SANDBOX__MINIMUM: '' } })
    expect([run.status, run.isolation], text).toEqual(['succeeded', 'L2 os-sandbox'])
    const { held } = cardOf(run.paths.evidence)
    expect(held).toMatchObject({ by: expect.stringMatching(/^bubblewrap \d/), needed: 'L2 os-sandbox' })
    expect(held?.holds.filter((it) => it.about === 'attack').map((it) => it.grip)).not.toContain('none')
  },
)
