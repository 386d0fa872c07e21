import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { asUser, live } from '../../test/workspace/life.ts'
import { land } from './land.ts'
import { openProject } from './project.ts'
import { restoreAttempt } from './rescue.ts'
import { resolveCommit, showFile } from './revisions.ts'
import { branchOf } from './worktree.ts'

describe('what reeve takes from a workspace', () => {
  it('enters no link to a commit that only a nested repository has', async () => {
    const { workspace, root } = await live({ 'f.txt': 'one\n' })
    const { path: tree } = workspace
    mkdirSync(join(tree, 'sub'))
    git(join(tree, 'sub'), 'init', '-q')
    writeFiles(tree, { 'sub/x.txt': 'x\n' })
    git(join(tree, 'sub'), 'add', '-A')
    git(join(tree, 'sub'), 'commit', '-qm', 'inner')
    // By hand, too: as a link in the worktree's own index.
    git(tree, 'clone', '-q', join(tree, 'sub'), 'linked')
    git(tree, 'update-index', '--add', '--cacheinfo', `160000,${git(join(tree, 'sub'), 'rev-parse', 'HEAD')},linked`)
    const { commit } = await workspace.checkpoint('feat: nested')
    await workspace.publish()
    const entries = git(root, 'ls-tree', '-r', commit).split('\n')
    expect(entries.filter((it) => it.startsWith('160000'))).toEqual([])
    expect(entries.map((it) => it.split('\t')[1])).toEqual(['f.txt', 'linked/x.txt', 'sub/x.txt'])
  })

  it('takes nothing of a .git that is not the worktree’s own, in any spelling', async () => {
    const { workspace, root } = await live({ 'f.txt': 'one\n' })
    writeFiles(workspace.path, { 'a/.git/config': '[core]\n', 'b/.GIT/hooks/x': 'x\n', 'c/.git': 'gitdir: /nowhere\n' })
    const { commit } = await workspace.checkpoint('feat: spellings')
    await workspace.publish()
    expect(git(root, 'ls-tree', '-r', '--name-only', commit)).not.toMatch(/\.git\b/i)
  })
})

describe('names that look like options', () => {
  it('of branches, revisions and tasks are refused', async () => {
    const { workspace, project } = await live({ 'f.txt': 'one\n' })
    writeFiles(workspace.path, { 'f.txt': 'two\n' })
    const { commit } = await workspace.checkpoint('feat: two')
    await workspace.publish()
    const { ref } = await workspace.keepAttempt()
    const landing = { project, run: 'r1', commit, base: workspace.base, how: 'branch' as const, message: 'x', trailers: {} }
    for (const name of ['--upload-pack=x', '-o', '--output=/tmp/x']) {
      await expect(land({ ...landing, branch: name }), name).rejects.toThrow('is not a branch name')
      await expect(restoreAttempt(project, ref, { branch: name }), name).rejects.toThrow('is not a branch name')
      await expect(resolveCommit(project, name), name).rejects.toMatchObject({ code: 'unknown_revision' })
    }
    for (const task of ['../x', '-o', 'a/../../b', '--upload-pack=x', 'x.lock', '..']) {
      await expect(async () => branchOf('backend', task), task).rejects.toThrow('cannot be part of a branch name')
    }
  })

  it('of files are names of files', async () => {
    const { workspace, root, project } = await live({ 'f.txt': 'one\n', '-x': 'x\n' })
    const names = ['--upload-pack=touch marked', '-o', '--output=marked', '-rf', ':(exclude)f.txt', ':top']
    writeFiles(workspace.path, Object.fromEntries(names.map((it) => [it, `${it}\n`])))
    const { commit } = await workspace.checkpoint('feat: names')
    await workspace.publish()
    expect((await workspace.changes()).map((it) => it.path).toSorted()).toEqual([...names].toSorted())
    expect(await showFile(project, commit, '-o')).toBe('-o\n')
    await land({ project, run: 'r1', commit, base: workspace.base, how: 'squash', message: 'feat: x', trailers: {} })
    await workspace.restore(workspace.base)
    expect(existsSync(join(workspace.path, '-o'))).toBe(false)
    expect(readdirSync(root).toSorted()).toEqual(['.git', '-x', 'f.txt', ...names].toSorted())
  })
})

describe('a worktree in a repository that was poisoned before', () => {
  it('is made without smudge filters and without post-checkout, and its files are as committed', async () => {
    const root = makeRepository({ 'f.txt': 'one\n', '.gitattributes': '*.txt filter=evil\n' })
    const mark = join(temporaryFolder('reeve-mark-'), 'executed')
    git(root, 'config', 'filter.evil.smudge', `touch ${mark}; tr a-z A-Z`)
    writeFiles(root, { '.git/hooks/post-checkout': `#!/bin/sh\ntouch ${mark}\n` })
    chmodSync(join(root, '.git/hooks/post-checkout'), 0o755)
    asUser(root, ['worktree', 'add', '-q', join(temporaryFolder(), 'w'), 'HEAD'])
    expect(existsSync(mark), 'the control: ordinary git falls for it').toBe(true)

    rmSync(mark)
    const { workspace } = await live({}, { root })
    expect(existsSync(mark)).toBe(false)
    expect(readFileSync(join(workspace.path, 'f.txt'), 'utf8')).toBe('one\n')
  })
})

describe('where reeve begins', () => {
  it('takes no embedded bare repository for the project, and asks it nothing', async () => {
    const root = makeRepository({ 'a.txt': 'a\n' })
    const mark = join(temporaryFolder('reeve-mark-'), 'executed')
    git(root, 'init', '-q', '--bare', 'planted')
    const text = `[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n\tfsmonitor = "touch ${mark}; false"\n`
    writeFileSync(join(root, 'planted/config'), text)
    asUser(join(root, 'planted'), ['status'])
    expect(existsSync(mark), 'the control: ordinary git falls for it').toBe(true)

    await expect(openProject(join(root, 'planted'))).rejects.toMatchObject({ code: 'bare_repository' })
  })
})
