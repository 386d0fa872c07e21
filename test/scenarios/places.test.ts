import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fingerprint } from '../support/fingerprint.ts'
import { acts, edit, fixtureProject, write } from '../support/fixture-project.ts'
import { temporaryFolder, writeFiles } from '../support/folder.ts'
import { type Reeve, reeveFor } from '../support/reeve.ts'
import { git } from '../support/repository.ts'
import { goodDirect, RANGES } from './cases.ts'

const CONFIG = '[runs]\nworkflow = "direct"\nmax_attempts = 1\n'

async function succeedsIn(project: string, task: Record<string, unknown> = {}): Promise<Reeve> {
  const before = fingerprint(project)
  const reeve = reeveFor(project)
  const ended = await reeve.run({ ...RANGES.task, ...task })
  expect(ended.exitCode, `${ended.run.message}\n${ended.text}`).toBe(0)
  expect(fingerprint(project), 'the checkout of the user').toEqual(before)
  return reeve
}

describe('a run works wherever the repository is and however it is', () => {
  it('with uncommitted and staged changes, untracked files and a stash, which stay as they are', async () => {
    const project = fixtureProject('node-test', { replies: goodDirect(RANGES), config: CONFIG })
    writeFiles(project, { 'README.md': 'stashed\n' })
    git(project, 'stash')
    writeFiles(project, { 'README.md': 'half written\n', 'src/ranges.js': 'this is not even JavaScript (\n', 'notes.txt': 'mine\n' })
    git(project, 'add', 'README.md')
    await succeedsIn(project)
  })

  it('with a detached HEAD', async () => {
    const project = fixtureProject('node-test', { replies: goodDirect(RANGES), config: CONFIG })
    git(project, 'checkout', '-q', '--detach')
    await succeedsIn(project)
  })

  it('with blanks and letters of other languages in its path', async () => {
    const project = fixtureProject('node-test', { replies: goodDirect(RANGES), config: CONFIG, name: "Größe 測試 it's (1)" })
    writeFiles(project, { 'docs/Übersicht – 概要.md': 'Text\n', 'docs/a "quoted" name.txt': 'Text\n' })
    git(project, 'add', '-A')
    git(project, 'commit', '-qm', 'Files with names')
    await succeedsIn(project)
  })

  it('from a folder below its top', async () => {
    const project = fixtureProject('node-test', { replies: goodDirect(RANGES), config: CONFIG })
    const reeve = reeveFor(project)
    const ended = await reeve.run(RANGES.task, { cwd: join(project, 'src') })
    expect(ended.exitCode, ended.text).toBe(0)
  })

  it('in one folder of a monorepo, by target_dir', async () => {
    const replies = [
      {
        role: 'implementer',
        turns: acts(
          write('packages/ranges/test/touching.test.js', String(RANGES.tests.input['content'])),
          edit('packages/ranges/src/ranges.js', 'first <= before[1])', 'first <= before[1] + 1)'),
        ),
      },
    ]
    const broken = {
      'packages/other/package.json': '{ "name": "other", "scripts": { "test": "exit 7" } }\n',
      'package.json': '{ "private": true }\n',
    }
    const project = fixtureProject('node-test', { replies, config: CONFIG, folder: 'packages/ranges', files: broken })
    const reeve = await succeedsIn(project, { target_dir: 'packages/ranges' })
    const run = await reeve.show()
    expect(run.verdict?.gates.find((it) => it.name === 'tests')?.cwd).toBe('packages/ranges')
  })

  it('in a shallow clone', async () => {
    const origin = fixtureProject('node-test', { replies: goodDirect(RANGES), config: CONFIG })
    writeFiles(origin, { 'README.md': 'Second\n' })
    git(origin, 'commit', '-qam', 'Second commit')
    const clone = join(temporaryFolder(), 'clone')
    git(origin, 'clone', '-q', '--depth', '1', `file://${origin}`, clone)
    await succeedsIn(clone)
  })

  it('with a submodule that is not there', async () => {
    const project = fixtureProject('node-test', { replies: goodDirect(RANGES), config: CONFIG })
    const head = git(project, 'rev-parse', 'HEAD')
    writeFiles(project, { '.gitmodules': '[submodule "lib"]\n\tpath = lib\n\turl = ../lib.git\n' })
    git(project, 'update-index', '--add', '--cacheinfo', `160000,${head},lib`)
    git(project, 'add', '.gitmodules')
    git(project, 'commit', '-qm', 'A submodule')
    mkdirSync(join(project, 'lib'))
    await succeedsIn(project)
  })
})

describe('where it cannot work it says what to do', () => {
  const cases: [string, (folder: string) => void, RegExp][] = [
    ['not a repository', () => undefined, /not inside a git repository[\s\S]*git init/],
    ['no commits', (folder) => void git(folder, 'init', '-q'), /no commits yet[\s\S]*git commit/],
    ['a bare repository', (folder) => void git(folder, 'init', '-q', '--bare'), /bare repository[\s\S]*git clone/],
  ]
  it.each(cases)('%s: exit code 3 and the remedy', async (_, prepare, says) => {
    const folder = temporaryFolder()
    prepare(folder)
    const refused = await reeveFor(folder)(['run', 'Do something'])
    expect(refused.exitCode, refused.text).toBe(3)
    expect(refused.stderr).toMatch(says)
  })

  it('setup that fails: exit code 3, with the command and what it said', async () => {
    const config = `[project]\nsetup = ["echo the registry is down >&2; exit 9"]\n${CONFIG}`
    const project = fixtureProject('node-test', { replies: goodDirect(RANGES), config })
    const before = fingerprint(project)
    const ended = await reeveFor(project).run(RANGES.task)
    expect(ended.exitCode, ended.text).toBe(3)
    expect([ended.run.status, ended.run.reason]).toEqual(['failed', 'error'])
    expect(ended.run.message).toMatch(/the registry is down/)
    expect(fingerprint(project)).toEqual(before)
  })

  it('setup is run in the workspace before the agent works', async () => {
    const config = `[project]\nsetup = ["mkdir -p node_modules/made && echo made > node_modules/made/by-setup"]\n${CONFIG}`
    const test =
      "import { existsSync } from 'node:fs'\nimport { test } from 'node:test'\nimport assert from 'node:assert/strict'\n\ntest('set up', () => assert.ok(existsSync('node_modules/made/by-setup')))\n"
    const project = fixtureProject('node-test', { replies: goodDirect(RANGES), config, files: { 'test/setup.test.js': test } })
    await succeedsIn(project)
  })

  it('a target_dir outside the repository', async () => {
    const project = fixtureProject('node-test', { replies: goodDirect(RANGES), config: CONFIG })
    writeFileSync(join(project, '..', 'x'), '')
    const ended = await reeveFor(project)(['run', 'Do something', '--target-dir', '../..', '--json'])
    expect([2, 3], ended.text).toContain(ended.exitCode)
    expect(ended.text).toMatch(/target_dir|refused/)
  })
})
