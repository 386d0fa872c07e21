import { chmodSync, existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { fingerprint, live } from '../../test/workspace/life.ts'
import { type Landing, land } from './land.ts'

const FILES = { 'a.txt': '1\n2\n3\n4\n5\n', 'b.txt': 'b\n', 'old.txt': 'old\n', 'own.txt': 'own\n' }
const read = (root: string, path: string) => readFileSync(join(root, path), 'utf8')

/** A run that has changed a.txt, added new/n.txt and deleted old.txt, published. */
async function finished(more: { root?: string } = {}) {
  const life = await live(FILES, more)
  const { workspace, project, root } = life
  writeFiles(workspace.path, { 'a.txt': 'one\n2\n3\n4\n5\n', 'new/n.txt': 'new\n' })
  rmSync(join(workspace.path, 'old.txt'))
  const { commit } = await workspace.checkpoint('feat: change a')
  await workspace.publish({ branch: true })
  const landing = (how: Landing['how'], also: Partial<Landing> = {}): Landing => ({
    project,
    run: 'r1',
    commit,
    base: workspace.base,
    how,
    branch: workspace.branch,
    message: 'feat: change a',
    trailers: { 'Reeve-Task': 'fix-it', 'Reeve-Verdict': 'passed' },
    ...also,
  })
  return { ...life, root, commit, landing }
}

describe('landing as a branch', () => {
  it('leaves the run branch at the commit, and makes another one when asked', async () => {
    const { root, commit, landing, workspace } = await finished()
    const before = fingerprint(root)
    expect(await land(landing('branch'))).toEqual({ branch: workspace.branch, commit })
    expect(fingerprint(root)).toEqual(before)
    expect(await land(landing('branch', { branch: 'feature/x' }))).toEqual({ branch: 'feature/x', commit })
    expect(await land(landing('branch', { branch: 'feature/x' }))).toEqual({ branch: 'feature/x', commit })
    expect(git(root, 'rev-parse', 'feature/x')).toBe(commit)
  })

  it('says in a commit on top that it was forced, once', async () => {
    const { root, commit, landing } = await finished()
    const forced = landing('branch', { branch: 'red', forced: true, trailers: { 'Reeve-Verdict': 'failed (landed with --force)' } })
    const landed = await land(forced)
    expect(git(root, 'log', '-1', '--format=%P %B', 'red')).toMatch(
      new RegExp(`^${commit} [^]*Reeve-Verdict: failed \\(landed with --force\\)$`),
    )
    expect(git(root, 'diff', '--name-only', commit, 'red')).toBe('')
    expect(await land(forced), 'again').toEqual(landed)
  })

  it('never moves a branch that others have work on, or that is checked out', async () => {
    const { root, landing } = await finished()
    git(root, 'branch', 'theirs')
    git(root, 'commit', '-q', '--allow-empty', '-m', 'Theirs')
    git(root, 'branch', 'more', 'HEAD')
    await expect(land(landing('branch', { branch: 'more' }))).rejects.toMatchObject({ code: 'branch_taken' })
    await expect(land(landing('branch', { branch: 'main' }))).rejects.toMatchObject({ code: 'branch_taken' })
    await expect(land(landing('branch', { branch: '-x' }))).rejects.toThrow('"-x" is not a branch name')
    expect((await land(landing('branch', { branch: 'theirs' }))).branch).toBe('theirs') // only behind: it moves forward
  })
})

describe('landing by merge', () => {
  it('makes a merge commit with the trailers and takes the checkout along, changed files only', async () => {
    const { root, commit, landing } = await finished()
    git(root, 'commit', '-q', '--allow-empty', '-m', 'Meanwhile')
    const tip = git(root, 'rev-parse', 'HEAD')
    writeFiles(root, { 'own.txt': 'uncommitted\n', 'untracked.txt': 'u\n' })
    git(root, 'add', 'own.txt')
    const landed = await land(landing('merge'))
    expect(landed.branch).toBe('main')
    expect(git(root, 'rev-parse', 'HEAD', 'HEAD^1', 'HEAD^2').split('\n')).toEqual([landed.commit, tip, commit])
    expect(git(root, 'log', '-1', '--format=%B')).toBe('feat: change a\n\nReeve-Run: r1\nReeve-Task: fix-it\nReeve-Verdict: passed')
    expect(git(root, 'log', '-1', '--format=%cn <%ce>')).toBe('reeve <reeve@localhost>')
    expect(git(root, 'status', '--porcelain')).toBe('M  own.txt\n?? untracked.txt')
    expect([read(root, 'a.txt'), read(root, 'new/n.txt'), existsSync(join(root, 'old.txt'))]).toEqual(['one\n2\n3\n4\n5\n', 'new\n', false])
  })

  it('does it once, however often it is asked', async () => {
    const { root, landing } = await finished()
    const first = await land(landing('merge'))
    const before = fingerprint(root)
    expect(await land(landing('merge'))).toEqual(first)
    expect(await land(landing('squash'))).toEqual(first)
    expect(fingerprint(root)).toEqual(before)
  })

  it('merges what both sides have changed in different places', async () => {
    const { root, landing } = await finished()
    writeFiles(root, { 'a.txt': '1\n2\n3\n4\nfive\n' })
    git(root, 'commit', '-qam', 'Five')
    await land(landing('merge'))
    expect(read(root, 'a.txt')).toBe('one\n2\n3\n4\nfive\n')
    expect(git(root, 'status', '--porcelain')).toBe('')
  })

  it('changes nothing when there is a conflict, and names the files', async () => {
    const { root, landing } = await finished()
    writeFiles(root, { 'a.txt': 'uno\n2\n3\n4\n5\n' })
    git(root, 'commit', '-qam', 'Uno')
    const before = fingerprint(root)
    await expect(land(landing('merge'))).rejects.toThrow('Merging auto/backend/fix-it into main conflicts in: a.txt. Nothing was changed.')
    expect(fingerprint(root)).toEqual(before)
  })

  it('goes into another branch without touching the checkout', async () => {
    const { root, landing } = await finished()
    git(root, 'branch', 'next')
    const before = fingerprint(root)
    const landed = await land(landing('merge', { into: 'next' }))
    expect(git(root, 'rev-parse', 'next')).toBe(landed.commit)
    const after = fingerprint(root)
    for (const path of ['.git/refs/heads/next', '.git/logs/refs/heads/next']) {
      delete before[path]
      delete after[path]
    }
    expect(after).toEqual(before)
    await expect(land(landing('merge', { into: 'nope' }))).rejects.toMatchObject({ code: 'unknown_revision' })
  })
})

describe('landing as one commit', () => {
  it('has all changes and one parent', async () => {
    const { root, landing, workspace, commit } = await finished()
    writeFiles(workspace.path, { 'b.txt': 'bee\n' })
    const last = await workspace.checkpoint('feat: change b')
    await workspace.publish()
    const tip = git(root, 'rev-parse', 'HEAD')
    const landed = await land(landing('squash', { commit: last.commit }))
    expect(git(root, 'log', '--format=%H %P', '-1')).toBe(`${landed.commit} ${tip}`)
    expect(git(root, 'diff', '--name-only', 'HEAD^').split('\n')).toEqual(['a.txt', 'b.txt', 'new/n.txt', 'old.txt'])
    expect(git(root, 'status', '--porcelain')).toBe('')
    expect(commit).not.toBe(last.commit)
  })
})

describe('changes of the user in the checkout', () => {
  const cases: [string, (root: string) => void, string][] = [
    ['a changed file', (root) => writeFiles(root, { 'a.txt': 'mine\n' }), 'a.txt'],
    ['a staged file', (root) => (writeFiles(root, { 'a.txt': 'mine\n' }), git(root, 'add', 'a.txt')), 'a.txt'],
    ['an untracked file in the place of a new one', (root) => writeFiles(root, { 'new/n.txt': 'mine\n' }), 'new/n.txt'],
    ['a changed file that would be deleted', (root) => writeFiles(root, { 'old.txt': 'mine\n' }), 'old.txt'],
    ['a deleted file', (root) => rmSync(join(root, 'a.txt')), 'a.txt'],
  ]
  for (const [name, change, file] of cases) {
    it(`are refused by name and stay: ${name}`, async () => {
      const { root, landing } = await finished()
      change(root)
      const before = fingerprint(root)
      await expect(land(landing('merge'))).rejects.toThrow(`uncommitted changes in files this would change: ${file}.`)
      expect(fingerprint(root)).toEqual(before)
    })
  }

  it('that are a merge not finished are refused', async () => {
    const { root, landing } = await finished()
    writeFileSync(join(root, '.git/MERGE_HEAD'), `${git(root, 'rev-parse', 'HEAD')}\n`)
    await expect(land(landing('merge'))).rejects.toThrow('a merge or rebase is not finished')
  })

  it('are respected when another git holds the index', async () => {
    const { root, landing } = await finished()
    writeFileSync(join(root, '.git/index.lock'), '')
    await expect(land(landing('merge'))).rejects.toThrow('another git works in the checkout')
    expect(existsSync(join(root, '.git/index.lock'))).toBe(true)
  })
})

describe('a landing that died half way', () => {
  it('goes on: files were written, index and branch were not', async () => {
    const { root, landing } = await finished()
    writeFiles(root, { 'a.txt': 'one\n2\n3\n4\n5\n', 'new/n.txt': 'new\n' })
    rmSync(join(root, 'old.txt'))
    writeFileSync(join(root, '.git/index.lock'), 'reeve lands r1\n')
    const landed = await land(landing('merge'))
    expect(git(root, 'rev-parse', 'HEAD')).toBe(landed.commit)
    expect(git(root, 'status', '--porcelain')).toBe('')
  })

  it('goes on: files and index were written, the branch was not', async () => {
    const { root, landing } = await finished()
    writeFiles(root, { 'a.txt': 'one\n2\n3\n4\n5\n', 'new/n.txt': 'new\n' })
    rmSync(join(root, 'old.txt'))
    git(root, 'add', '-A')
    await land(landing('squash'))
    expect(git(root, 'status', '--porcelain')).toBe('')
    expect(git(root, 'diff', '--name-only', 'HEAD^').split('\n')).toEqual(['a.txt', 'new/n.txt', 'old.txt'])
  })
})

it('lands on a detached HEAD only when a branch is named', async () => {
  const root = makeRepository(FILES, temporaryFolder().slice(-6))
  git(root, 'checkout', '-q', '--detach')
  const { landing } = await finished({ root })
  await expect(land(landing('merge'))).rejects.toThrow('HEAD is on no branch; name the branch to land on.')
  expect((await land(landing('merge', { into: 'main' }))).branch).toBe('main')
})

it.each([
  [
    'line ends of another system',
    [
      ['config', 'core.autocrlf', 'true'],
      ['rm', '-q', '--cached', '-r', '.'],
      ['reset', '-q', '--hard'],
    ],
    'one\r\n',
  ],
  [
    'an index in two parts',
    [
      ['config', 'core.splitIndex', 'true'],
      ['update-index', '--split-index'],
    ],
    'one\n',
  ],
  ['modes that the file system does not know', [['config', 'core.fileMode', 'false']], 'one\n'],
] as const)('lands in a checkout with %s', async (_title, commands, first) => {
  const root = makeRepository(FILES)
  for (const command of commands) git(root, ...command)
  const { landing } = await finished({ root })
  if (commands[0][1] === 'core.fileMode') chmodSync(join(root, 'a.txt'), 0o755)
  utimesSync(join(root, 'a.txt'), 1, 1) // touched, not changed
  await land(landing('squash'))
  expect(read(root, 'a.txt')).toMatch(new RegExp(`^${first}`))
  expect(git(root, 'status', '--porcelain')).toBe('')
})

it('does not take a checkpoint of the run on the target for its landing', async () => {
  const life = await live(FILES)
  const { workspace, project, root } = life
  writeFiles(workspace.path, { 'a.txt': 'first\n' })
  const early = await workspace.checkpoint('feat: begin\n\nReeve-Run: r1\nReeve-Step: part-1')
  writeFiles(workspace.path, { 'b.txt': 'second\n' })
  const { commit } = await workspace.checkpoint('feat: end\n\nReeve-Run: r1\nReeve-Step: part-2')
  await workspace.publish({ branch: true })
  git(root, 'merge', '-q', '--ff-only', early.commit)
  const trailers = { 'Reeve-Verdict': 'passed' }
  await land({ project, run: 'r1', commit, base: workspace.base, how: 'merge', branch: workspace.branch, message: 'feat: end', trailers })
  expect(read(root, 'b.txt')).toBe('second\n')
})
