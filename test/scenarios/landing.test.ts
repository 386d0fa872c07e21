import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fingerprint, reeveRefs } from '../support/fingerprint.ts'
import { acts, fixtureProject, type Reply } from '../support/fixture-project.ts'
import { temporaryFolder } from '../support/folder.ts'
import { reeveFor } from '../support/reeve.ts'
import { git } from '../support/repository.ts'
import { goodDirect, RANGES } from './cases.ts'

const WRONG: Reply[] = [{ role: 'implementer', turns: acts(RANGES.tests, RANGES.wrong) }]

async function ran(replies: readonly Reply[] = goodDirect(RANGES)) {
  const project = fixtureProject('node-test', { replies, config: '[runs]\nworkflow = "direct"\nmax_attempts = 1\n' })
  const reeve = reeveFor(project)
  const ended = await reeve.run(RANGES.task)
  return { project, reeve, run: ended.run }
}

describe('landing', () => {
  it('makes the branch, then merges, then has nothing left to do', async () => {
    const { project, reeve, run } = await ran()
    const branch = await reeve(['land', 'last', '--branch', 'for-review'])
    expect(branch.exitCode, branch.text).toBe(0)
    expect(git(project, 'rev-parse', 'for-review^{tree}')).toBe(git(project, 'rev-parse', `${run.commit}^{tree}`))
    expect(git(project, 'log', '-1', '--format=%B', 'for-review')).toMatch(/^fix: join ranges that touch[\s\S]*Reeve-Run: /)

    const merged = await reeve(['land', 'last', '--merge'])
    expect(merged.exitCode, merged.text).toBe(0)
    expect(readFileSync(join(project, 'src/ranges.js'), 'utf8'), 'the files of the checkout follow').toContain('before[1] + 1)')
    expect(git(project, 'status', '--porcelain')).toBe('')
    expect(git(project, 'log', '-1', '--format=%P', 'main').split(' ')).toHaveLength(2)

    const at = git(project, 'rev-parse', 'main')
    const again = await reeve(['land', 'last', '--merge'])
    expect(again.exitCode, again.text).toBe(0)
    expect(git(project, 'rev-parse', 'main'), 'landing twice makes one commit').toBe(at)
  })

  it('squashes into one commit with a conventional message', async () => {
    const { project, reeve } = await ran()
    const landed = await reeve(['land', 'last', '--squash'])
    expect(landed.exitCode, landed.text).toBe(0)
    expect(git(project, 'rev-list', '--count', 'main')).toBe('2')
    expect(git(project, 'log', '-1', '--format=%s', 'main')).toBe('fix: join ranges that touch')
    expect(git(project, 'log', '-1', '--format=%an', 'main').length).toBeGreaterThan(0)
  })

  it('refuses a red verdict with exit code 1, and with --force says in the commit that it was forced', async () => {
    const { project, reeve } = await ran(WRONG)
    const before = fingerprint(project)
    const refused = await reeve(['land', 'last', '--merge'])
    expect(refused.exitCode, refused.text).toBe(1)
    expect(refused.stderr).toContain('--force')
    expect(fingerprint(project)).toEqual(before)

    const forced = await reeve(['land', 'last', '--squash', '--force'])
    expect(forced.exitCode, forced.text).toBe(0)
    expect(git(project, 'log', '-1', '--format=%B', 'main')).toMatch(/Reeve-Verdict: failed.*--force/)
  })

  it('does not merge over what the user is writing, and changes nothing then', async () => {
    const { project, reeve } = await ran()
    writeFileSync(join(project, 'src/ranges.js'), '// my work\n')
    const before = fingerprint(project)
    const refused = await reeve(['land', 'last', '--merge'])
    expect(refused.exitCode, refused.text).toBe(3)
    expect(refused.stderr).toContain('src/ranges.js')
    expect(fingerprint(project)).toEqual(before)
  })

  it('leaves a conflict unmerged and names the file', async () => {
    const { project, reeve } = await ran()
    const text = readFileSync(join(project, 'src/ranges.js'), 'utf8')
    writeFileSync(join(project, 'src/ranges.js'), text.replace('first <= before[1])', 'first < before[1])'))
    git(project, 'commit', '-qam', 'Meanwhile')
    const before = fingerprint(project)
    const refused = await reeve(['land', 'last', '--merge'])
    expect(refused.exitCode, refused.text).toBe(1)
    expect(refused.stderr).toContain('src/ranges.js')
    expect(fingerprint(project)).toEqual(before)
  })
})

describe('verify does everything again', () => {
  it('MATCH for an honest run; MISMATCH after the card or the branch was changed', async () => {
    const { project, reeve, run } = await ran()
    const honest = await reeve(['verify', 'last'])
    expect(honest.exitCode, honest.text).toBe(0)
    expect(honest.stdout).toMatch(/\bMATCH\b/)
    expect(honest.stdout).not.toMatch(/MISMATCH/)

    const path = join(run.paths.evidence ?? '', 'card.json')
    const card = readFileSync(path, 'utf8')
    writeFileSync(path, card.replace('"attempts": 1', '"attempts": 2'))
    const edited = await reeve(['verify', 'last'])
    expect(edited.exitCode, edited.text).toBe(1)
    expect(edited.stdout).toMatch(/MISMATCH/)
    writeFileSync(path, card)

    git(project, 'update-ref', `refs/heads/${run.branch}`, run.base)
    const moved = await reeve(['verify', 'last'])
    expect(moved.exitCode, moved.text).toBe(1)
    expect(moved.stdout).toMatch(/MISMATCH/)
  })

  it('says so when the tests no longer say what the card says', async () => {
    const { reeve, run } = await ran()
    const path = join(run.paths.evidence ?? '', 'card.json')
    const card = JSON.parse(readFileSync(path, 'utf8')) as { commit: string; base: string }
    writeFileSync(path, JSON.stringify({ ...card, commit: card.base }))
    const moved = await reeve(['verify', 'last', '--json'])
    expect(moved.exitCode, moved.text).toBe(1)
  })
})

describe('nothing is lost, and everything can be put away', () => {
  it('brings a rejected attempt back into a folder', async () => {
    const { reeve } = await ran(WRONG)
    const list = await reeve(['rescue', 'last'])
    expect(list.exitCode, list.text).toBe(0)
    const to = join(temporaryFolder(), 'attempt')
    const back = await reeve(['rescue', 'last', '--attempt', '1', '--to', to])
    expect(back.exitCode, back.text).toBe(0)
    expect(readFileSync(join(to, 'src/ranges.js'), 'utf8')).toContain('before[1] + 2)')
    expect(existsSync(join(to, RANGES.testFile)), 'untracked files too').toBe(true)
  })

  it('cleans worktrees away and keeps the work in git', async () => {
    const { project, reeve, run } = await ran(WRONG)
    expect(git(project, 'worktree', 'list').split('\n')).toHaveLength(2)
    const cleaned = await reeve(['clean', '--all'])
    expect(cleaned.exitCode, cleaned.text).toBe(0)
    expect(git(project, 'worktree', 'list').split('\n')).toHaveLength(1)
    expect(readdirSync(join(reeve.home, 'reeve/data/runs'))).toEqual([])
    const [attempt] = reeveRefs(project).filter((it) => it.startsWith(`refs/reeve/attempts/${run.id}/`))
    expect(git(project, 'show', `${attempt}:src/ranges.js`)).toContain('before[1] + 2)')
    expect((await reeve(['rescue', 'last'])).exitCode, 'rescue works after it').toBe(0)
  })
})
