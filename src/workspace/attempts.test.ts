import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { git } from '../../test/support/repository.ts'
import { live } from '../../test/workspace/life.ts'

const FILES = { 'f.txt': 'one\n', 'src/a.ts': 'a\n', 'src/b.ts': 'b\n', '.gitignore': 'ignored/\n' }
const read = (folder: string, path: string) => readFileSync(join(folder, path), 'utf8')

describe('attempts', () => {
  it('keep every byte git would not ignore, also untracked files and line ends that git would change', async () => {
    const { workspace, root } = await live({ ...FILES, '.gitattributes': '*.txt text\n' })
    writeFiles(workspace.path, { 'f.txt': 'crlf\r\n', 'new/deep/file.bin': 'a\0b', 'ignored/x': 'x' })
    const kept = await workspace.keepAttempt()
    expect(kept).toMatchObject({ ref: 'refs/reeve/attempts/r1/1', number: 1 })
    expect(git(root, 'cat-file', '-s', `${kept.ref}:f.txt`)).toBe('6')
    expect(git(root, 'cat-file', '-s', `${kept.ref}:new/deep/file.bin`)).toBe('3')
    expect(git(root, 'ls-tree', '-r', '--name-only', kept.ref)).not.toContain('ignored')
  })

  it('keep a nested repository with its history, and one without commits', async () => {
    const { workspace, root } = await live(FILES)
    mkdirSync(join(workspace.path, 'sub/inner'), { recursive: true })
    git(join(workspace.path, 'sub'), 'init', '-q', '-b', 'nested')
    git(join(workspace.path, 'sub/inner'), 'init', '-q')
    git(join(workspace.path, 'src'), 'init', '-q')
    writeFiles(workspace.path, { 'sub/x.txt': 'x\n', 'sub/inner/y.txt': 'y\n' })
    git(join(workspace.path, 'sub'), 'add', 'x.txt')
    git(join(workspace.path, 'sub'), 'commit', '-qm', 'inner work')
    const { ref } = await workspace.keepAttempt()
    const paths = git(root, 'ls-tree', '-r', '--name-only', ref).split('\n')
    expect(paths).toEqual(
      expect.arrayContaining(['sub/x.txt', 'sub/dot-git/HEAD', 'sub/inner/y.txt', 'sub/inner/dot-git/HEAD', 'src/dot-git/HEAD']),
    )
    expect(git(root, 'show', `${ref}:sub/dot-git/logs/HEAD`)).toContain('inner work')
    await workspace.restore(workspace.base)
    expect(readdirSync(workspace.path).toSorted()).toEqual(['.git', '.gitignore', 'f.txt', 'src'])
    expect(existsSync(join(workspace.path, 'src/.git'))).toBe(false)
  })

  it('keep files called .git, and other spellings of it that git refuses', async () => {
    const { workspace, root } = await live(FILES)
    writeFiles(workspace.path, { 'a/.GIT/x': 'one\n', 'b/.git': 'not a link\n', 'c/.Git': 'three\n' })
    const { ref } = await workspace.keepAttempt()
    const kept = ['a/dot-GIT/x', 'b/dot-git', 'c/dot-Git'].map((it) => git(root, 'show', `${ref}:${it}`))
    expect(kept).toEqual(['one', 'not a link', 'three'])
    await workspace.restore(workspace.base)
    expect(await workspace.changes()).toEqual([])
    expect(['a/.GIT', 'b/.git', 'c/.Git'].filter((it) => existsSync(join(workspace.path, it)))).toEqual([])
  })

  it('are numbered, and the same one is kept once', async () => {
    const { workspace } = await live(FILES)
    writeFiles(workspace.path, { 'f.txt': 'two\n' })
    const [first, again] = [await workspace.keepAttempt(), await workspace.keepAttempt()]
    writeFiles(workspace.path, { 'f.txt': 'three\n' })
    expect([first.number, again.number, (await workspace.keepAttempt()).number]).toEqual([1, 1, 2])
  })

  it('keep work that breaks ordinary adding: names, encodings and permissions made to get in the way', async () => {
    const { workspace, root } = await live(FILES)
    writeFiles(workspace.path, {
      '.gitattributes': '* working-tree-encoding=no-such\n',
      'work.txt': 'work\n',
      'git~1': 'odd\n',
      'a\nb': 'odd\n',
    })
    const { ref } = await workspace.keepAttempt()
    expect(git(root, 'show', `${ref}:work.txt`)).toBe('work')
    expect(git(root, 'ls-tree', '-r', '-z', '--name-only', ref).split('\0')).toEqual(expect.arrayContaining(['git~1', 'a\nb']))
  })
})

describe('git used inside a workspace', () => {
  it('by an agent that commits itself: its commits are kept, the branch follows reeve', async () => {
    const { workspace, root } = await live(FILES)
    writeFiles(workspace.path, { 'own.txt': 'own\n' })
    git(workspace.path, 'add', '-A')
    git(workspace.path, 'commit', '-qm', 'By the agent')
    const theirs = git(root, 'rev-parse', workspace.branch)
    git(workspace.path, 'checkout', '-q', '-b', 'elsewhere')
    const { commit } = await workspace.checkpoint('feat: own')
    await workspace.publish({ branch: true })
    expect(git(root, 'rev-parse', workspace.branch, 'refs/reeve/attempts/r1/1').split('\n')).toEqual([commit, theirs])
    expect(git(workspace.path, 'status', '--porcelain', '--branch')).toBe(`## ${workspace.branch}`)
  })

  it('by one that makes the whole tree a repository of its own: it is kept, and the worktree is one again', async () => {
    const { workspace, root } = await live(FILES)
    rmSync(join(workspace.path, '.git'))
    git(workspace.path, 'init', '-q')
    git(workspace.path, 'add', '-A')
    git(workspace.path, 'commit', '-qm', 'Mine now')
    await workspace.restore(workspace.base)
    expect(git(root, 'show', 'refs/reeve/attempts/r1/1:dot-git/logs/HEAD')).toContain('Mine now')
    expect(git(workspace.path, 'status', '--porcelain', '--branch')).toBe(`## ${workspace.branch}`)
  })
})

describe('restoring', () => {
  it('puts files back to a commit after keeping what was there', async () => {
    const { workspace, root } = await live(FILES)
    writeFiles(workspace.path, { 'new.txt': 'checkpointed\n' })
    const { commit } = await workspace.checkpoint('feat: new')
    writeFiles(workspace.path, { 'f.txt': 'wrong\n', 'wrong/x': 'wrong\n', 'ignored/dep': 'kept\n' })
    rmSync(join(workspace.path, 'new.txt'))
    chmodSync(join(workspace.path, 'src/a.ts'), 0o755)
    await workspace.restore(commit)
    expect([read(workspace.path, 'f.txt'), read(workspace.path, 'new.txt'), read(workspace.path, 'ignored/dep')]).toEqual([
      'one\n',
      'checkpointed\n',
      'kept\n',
    ])
    expect(existsSync(join(workspace.path, 'wrong'))).toBe(false)
    expect(git(root, 'show', 'refs/reeve/attempts/r1/1:wrong/x')).toBe('wrong')
    await workspace.restore(workspace.base)
    expect(existsSync(join(workspace.path, 'new.txt'))).toBe(false)
    expect(git(root, 'show', 'refs/reeve/attempts/r1/2:new.txt'), 'the checkpoint left behind').toBe('checkpointed')
    expect((await workspace.checkpoint('feat: none')).commit).toBe(workspace.base)
  })

  it('copes with folders in the place of files and links in the place of folders', async () => {
    const outside = temporaryFolder()
    writeFiles(outside, { 'a.ts': 'untouched' })
    const { workspace } = await live(FILES)
    rmSync(join(workspace.path, 'f.txt'))
    writeFiles(workspace.path, { 'f.txt/x': 'x\n' })
    rmSync(join(workspace.path, 'src'), { recursive: true })
    symlinkSync(outside, join(workspace.path, 'src'))
    await workspace.restore(workspace.base)
    expect([read(workspace.path, 'f.txt'), read(workspace.path, 'src/a.ts'), read(outside, 'a.ts')]).toEqual(['one\n', 'a\n', 'untouched'])
  })
})
