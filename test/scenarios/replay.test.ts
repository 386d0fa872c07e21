import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { RunView } from '../../src/core/run.ts'
import { acts, fixtureProject, write, writeReplies } from '../support/fixture-project.ts'
import { reeveFor } from '../support/reeve.ts'
import { git } from '../support/repository.ts'
import { goodDirect, RANGES } from './cases.ts'

const SECRET = 'sk-live-0123456789abcdefghij'

/** A provider that is asked first and fails, so that another takes over. */
const BROKEN = '[providers.broken]\nkind = "scripted"\nfile = "broken.yaml"\npriority = 1\n'

/** A run whose first attempt is wrong, recorded. */
async function recorded(args: readonly string[] = ['--record']) {
  const replies = [
    { role: 'implementer', attempt: 1, turns: acts(RANGES.tests, write('note.txt', `the key is ${SECRET}\n`)) },
    ...goodDirect(RANGES),
  ]
  const project = fixtureProject('node-test', {
    replies,
    config: '[runs]\nworkflow = "direct"\nmax_attempts = 3\n',
    provider: BROKEN,
    files: { 'broken.yaml': 'replies:\n  - fail: auth\n' },
  })
  const reeve = reeveFor(project)
  const env = { TEAM_API_KEY: SECRET }
  const first = await reeve.run(RANGES.task, { args, env })
  const again = async (...more: string[]) => {
    const outcome = await reeve(['replay', first.run.id, '--json', ...more], { env })
    return { outcome, run: await reeve.show() }
  }
  return { project, reeve, first, again }
}

const agents = (run: RunView) => run.steps.filter((it) => it.kind === 'agent').map((it) => it.name)

describe('doing a past run again', () => {
  it('by its recording gives the same tree, asks nobody and costs nothing; the recording holds no secret', async () => {
    const { project, reeve, first, again } = await recorded()
    expect(first.run, first.text).toMatchObject({ status: 'succeeded', attempts: 2 })
    const file = join(first.run.paths.evidence ?? '', 'recording.ndjson')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const text = readFileSync(file, 'utf8')
    expect(text).toContain('the key is [redacted]')
    expect(text).not.toContain(SECRET)

    writeReplies(project, [{ fail: 'auth', problem: 'Nobody is to be asked.' }])
    // What the project says of its providers now needs nobody's consent: they have no part in it.
    appendFileSync(join(project, 'reeve.toml'), '\n[providers.far]\nkind = "claude"\nbinary = "./agent"\n')
    const { outcome, run } = await again('--i-understand-no-sandbox')
    expect(outcome.exitCode, outcome.text).toBe(0)
    expect(run.isolation).toBe('L0 none')
    expect(run).toMatchObject({ status: 'succeeded', attempts: 2, cost: 0 })
    expect(git(project, 'rev-parse', `${run.commit}:src`), 'byte for byte').toBe(git(project, 'rev-parse', `${first.run.commit}:src`))
    expect(git(project, 'show', `${run.commit}:note.txt`)).toContain('[redacted]')
    expect(agents(first.run)).toEqual(['direct/attempt-1/implement', 'direct/attempt-1/implement~2', 'direct/attempt-2/implement'])
    expect(agents(run), 'what another provider had to do again').toEqual(['direct/attempt-1/implement', 'direct/attempt-2/implement'])
    expect((await reeve.events()).filter((it) => it.type === 'provider.chosen').map((it) => it.data['provider'])).toEqual([
      'recording',
      'recording',
    ])
  })

  it('from a step takes over what was done before it, lets another provider go on, and refuses what there is not', async () => {
    const { project, reeve, first, again } = await recorded([])
    const refused = async (...args: string[]) => (await reeve(['replay', first.run.id, ...args])).text
    expect(await refused()).toContain(`There is no recording of run ${first.run.id}, so there is nothing that could answer.`)
    expect(await refused('--provider', 'script', '--from', 'direct/attempt-9')).toMatch(
      /has no step "direct\/attempt-9"\. Its steps: direct\/attempt-1\/implement, direct\/attempt-1\/implement~2, direct\/attempt-1\/gates/,
    )
    expect(await refused('--provider', 'nobody')).toContain('No provider "nobody"')
    expect(existsSync(join(first.run.paths.evidence ?? '', 'recording.ndjson'))).toBe(false)

    writeReplies(project, [{ role: 'implementer', turns: acts(RANGES.tests, ...RANGES.right, write('other.txt', 'by another\n')) }])
    const { outcome, run } = await again('--from', 'direct/attempt-2/implement', '--provider', 'script')
    expect(outcome.exitCode, outcome.text).toBe(0)
    expect(agents(run), 'the first attempt is not done again').toEqual(['direct/attempt-2/implement'])
    expect(run.attempts).toBe(2)
    expect(git(project, 'show', `${run.commit}:other.txt`)).toBe('by another')
    expect(git(project, 'show', `${run.commit}:note.txt`), 'files of the first attempt').toContain('the key is')
    expect(run.branch).not.toBe(first.run.branch)
  })
})
