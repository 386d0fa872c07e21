import { describe, expect, it } from 'vitest'
import { acts, fixtureProject, type Reply, shell } from '../support/fixture-project.ts'
import { type Outcome, reeveFor } from '../support/reeve.ts'
import { git } from '../support/repository.ts'
import { goodBuild, goodDirect, RANGES } from './cases.ts'

function projectWith(config: string, replies: readonly Reply[] = goodDirect(RANGES)) {
  const project = fixtureProject('node-test', { replies, config: `[runs]\nworkflow = "direct"\n${config}` })
  return { project, reeve: reeveFor(project) }
}

const exit = (outcome: Outcome) => outcome.exitCode

describe('a run asks a person', () => {
  it('supervised: it waits before landing with exit code 5, and a yes lands it', async () => {
    const { project, reeve } = projectWith('autonomy = "supervised"\nland = "merge"\n')
    const before = git(project, 'rev-parse', 'main')
    const asked = await reeve.run(RANGES.task)
    expect(exit(asked), asked.text).toBe(5)
    expect([asked.run.status, asked.run.reason]).toEqual(['waiting', 'approval'])
    expect(git(project, 'rev-parse', 'main'), 'nothing landed yet').toBe(before)

    const approved = await reeve(['approve', 'last', '--comment', 'looks good', '--json'])
    expect(exit(approved), approved.text).toBe(0)
    const run = await reeve.show()
    expect(run.status).toBe('succeeded')
    expect(git(project, 'merge-base', '--is-ancestor', run.commit ?? '', 'main')).toBe('')
    expect(git(project, 'log', '-1', '--format=%B', 'main')).toMatch(/Reeve-Verdict: passed/)
    expect(await reeve.events()).toContainEqual(
      expect.objectContaining({ type: 'approval.given', data: expect.objectContaining({ comment: 'looks good' }) }),
    )
  })

  it('supervised: a no ends it with exit code 1 and the reason', async () => {
    const { project, reeve } = projectWith('autonomy = "supervised"\nland = "merge"\n')
    const before = git(project, 'rev-parse', 'main')
    await reeve.run(RANGES.task)
    const rejected = await reeve(['reject', 'last', '--reason', 'not in this release', '--json'])
    expect(exit(rejected), rejected.text).toBe(1)
    const run = await reeve.show()
    expect([run.status, run.reason]).toEqual(['failed', 'gates'])
    expect(run.message).toContain('not in this release')
    expect(git(project, 'rev-parse', 'main')).toBe(before)
  })

  it('manual: it asks about the plan too, and a no with a reason asks for another plan', async () => {
    const plans = goodBuild(RANGES)
    const first = plans.find((it) => it['role'] === 'architect')
    const replies = [{ ...first, step: 'plan' }, { ...first, step: 'plan-2' }, ...plans.filter((it) => it['role'] !== 'architect')]
    const { project, reeve } = projectWith('autonomy = "manual"\n', replies)
    const asked = await reeve.run({ ...RANGES.task, workflow: 'build' })
    expect(exit(asked), asked.text).toBe(5)
    expect(
      asked.run.steps.some((it) => it.name.includes('implement')),
      'nothing is written before the yes',
    ).toBe(false)

    expect(exit(await reeve(['reject', 'last', '--reason', 'one part is too coarse', '--json']))).toBe(5)
    expect((await reeve.show()).steps.map((it) => it.name)).toContain('plan-2')
    const yes = await reeve(['approve', 'last', '--json'])
    expect(exit(yes), yes.text).toBe(5)
    expect((await reeve.show()).message, 'now it asks about landing').toMatch(/land/i)
    const landed = await reeve(['approve', 'last', '--json'])
    expect(exit(landed), landed.text).toBe(0)
    const run = await reeve.show()
    expect(git(project, 'rev-parse', run.branch)).toBe(run.commit)
  })

  it('autonomous: it lands without asking', async () => {
    const { project, reeve } = projectWith('autonomy = "autonomous"\nland = "squash"\n')
    const ended = await reeve.run(RANGES.task)
    expect(exit(ended), ended.text).toBe(0)
    expect(ended.events.some((it) => it.type === 'approval.asked')).toBe(false)
    expect(git(project, 'rev-list', '--count', 'main')).toBe('2')
    expect(git(project, 'show', 'main:src/ranges.js')).toContain('before[1] + 1)')
    expect(git(project, 'status', '--porcelain'), 'the checkout follows the branch').toBe('')
  })

  it('autonomous: it asks when the change touches what other programs trust', async () => {
    const turns = acts(shell('printf "be nice\\n" > AGENTS.md'), RANGES.tests, ...RANGES.right)
    const { project, reeve } = projectWith('autonomy = "autonomous"\nland = "merge"\n', [{ role: 'implementer', turns }])
    const before = git(project, 'rev-parse', 'main')
    const ended = await reeve.run(RANGES.task)
    expect(exit(ended), ended.text).toBe(5)
    expect(ended.run.message).toMatch(/AGENTS\.md/)
    expect(git(project, 'rev-parse', 'main')).toBe(before)
  })
})
