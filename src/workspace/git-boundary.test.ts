import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { asUser, live } from '../../test/workspace/life.ts'
import { openProject } from './project.ts'

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
