import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { createOptions, fingerprint, live } from '../../test/workspace/life.ts'
import { land } from './land.ts'
import { openProject } from './project.ts'
import { reap } from './reap.ts'
import { createWorkspace, openWorkspace } from './workspace.ts'

const FILES = { 'f.txt': 'one\n', 'src/a.ts': 'a\n', 'src/b.ts': 'b\n', '.gitignore': 'ignored/\n' }
const read = (folder: string, path: string) => readFileSync(join(folder, path), 'utf8')

describe('a new workspace', () => {
  it('is a locked worktree of its own with the files of the base, clean for git', async () => {
    const { root, workspace, dataDir } = await live(FILES)
    expect(workspace.branch).toBe('auto/backend/fix-it')
    expect(workspace.path).toBe(join(dataDir, 'runs/r1/tree'))
    expect(read(workspace.path, 'src/a.ts')).toBe('a\n')
    expect(git(workspace.path, 'status', '--porcelain')).toBe('')
    expect(git(root, 'worktree', 'list', '--porcelain')).toContain('locked reeve run r1')
    expect(git(root, 'rev-parse', 'refs/reeve/base/r1', 'auto/backend/fix-it')).toBe(`${workspace.base}\n${workspace.base}`)
    expect(workspace.env).toMatchObject({ HOME: join(dataDir, 'runs/r1/home'), REEVE_RUN: 'r1' })
  })

  it('never takes a branch that is there already', async () => {
    const root = makeRepository(FILES)
    git(root, 'branch', 'auto/backend/fix-it')
    const first = await live({}, { root })
    const second = await live({}, { root, runId: 'r2' })
    expect([first.workspace.branch, second.workspace.branch]).toEqual(['auto/backend/fix-it-2', 'auto/backend/fix-it-3'])
  })

  it('says which branch is in the way when no name is possible', async () => {
    const root = makeRepository(FILES)
    git(root, 'branch', 'auto')
    await expect(live({}, { root })).rejects.toThrow('The branch "auto" exists already')
  })

  it('refuses names that could lead elsewhere', async () => {
    const { options } = await live(FILES)
    await expect(createWorkspace({ ...options, runId: 'r2', taskId: '../x' })).rejects.toThrow('"../x" cannot be part of a branch name')
    await expect(createWorkspace({ ...options, runId: 'r2', taskId: '--upload-pack=x' })).rejects.toThrow('cannot be part of a branch name')
    await expect(createWorkspace({ ...options, runId: '../r2' })).rejects.toThrow('"../r2" is not a run id.')
  })

  it('is the same one when it is made again, and opens again after a restart', async () => {
    const { workspace, options } = await live(FILES)
    writeFiles(workspace.path, { 'new.txt': 'new\n' })
    const again = await createWorkspace(options)
    expect([again.path, again.branch]).toEqual([workspace.path, workspace.branch])
    expect(read(again.path, 'new.txt')).toBe('new\n')
    await again.checkpoint('feat: new')
    expect((await (await openWorkspace(options)).changes()).map((it) => it.path)).toEqual(['new.txt'])
    await expect(openWorkspace({ ...options, runId: 'r9' })).rejects.toThrow('Run r9 has no workspace')
  })

  it('comes back with its last checkpoint when somebody deleted its folder', async () => {
    const { workspace, options } = await live(FILES)
    writeFiles(workspace.path, { 'new.txt': 'new\n' })
    await workspace.checkpoint('feat: new')
    rmSync(workspace.path, { recursive: true })
    const again = await openWorkspace(options)
    expect(read(again.path, 'new.txt')).toBe('new\n')
    expect(await again.treeHash()).toBe(
      git(options.project.root, '--git-dir', join(options.dataDir, 'runs/r1/git'), 'rev-parse', 'HEAD^{tree}'),
    )
  })
})

describe('checkpoints', () => {
  it('commit everything but ignored files, by reeve, with the configured author', async () => {
    const root = makeRepository(FILES)
    git(root, 'config', 'user.name', 'Ada')
    git(root, 'config', 'user.email', 'ada@example.invalid')
    const { workspace } = await live({}, { root })
    writeFiles(workspace.path, { 'new.txt': 'new\n', 'ignored/x': 'x', 'f.txt': 'two\n' })
    rmSync(join(workspace.path, 'src/b.ts'))
    const done = await workspace.checkpoint('feat: change things')
    expect(done).toMatchObject({ changed: true, files: 3 })
    const commit = await workspace.publish({ branch: true })
    expect(commit).toBe(done.commit)
    expect(git(root, 'log', '-1', '--format=%s|%an <%ae>|%cn <%ce>', commit)).toBe(
      'feat: change things|Ada <ada@example.invalid>|reeve <reeve@localhost>',
    )
    expect(git(root, 'show', '--name-status', '--format=', workspace.branch)).toBe('M\tf.txt\nA\tnew.txt\nD\tsrc/b.ts')
    expect(git(workspace.path, 'status', '--porcelain')).toBe('')
  })

  it('make no commit when nothing has changed', async () => {
    const { workspace } = await live(FILES)
    const first = await workspace.checkpoint('feat: nothing')
    expect(first).toMatchObject({ changed: false, commit: workspace.base, files: 0 })
    expect(first.tree).toBe(await workspace.treeHash())
  })

  it('see an edit of the same length in the same moment', async () => {
    const { workspace } = await live(FILES)
    const hashes = new Set<string>()
    for (const text of ['two\n', 'six\n', 'ten\n']) {
      writeFileSync(join(workspace.path, 'f.txt'), text)
      hashes.add(await workspace.treeHash())
      hashes.add((await workspace.keepAttempt()).commit)
    }
    expect(hashes.size).toBe(6)
  })

  it('store links as links and keep the executable bit', async () => {
    const { workspace, root } = await live(FILES)
    symlinkSync('/etc/hostname', join(workspace.path, 'leak'))
    writeFileSync(join(workspace.path, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 })
    const { commit } = await workspace.checkpoint('feat: link')
    await workspace.publish()
    expect(git(root, 'show', `${commit}:leak`)).toBe('/etc/hostname')
    expect(git(root, 'ls-tree', commit, 'run.sh')).toMatch(/^100755/)
    const scratch = await workspace.scratch(commit)
    expect(readlinkSync(join(scratch.path, 'leak'))).toBe('/etc/hostname')
    expect(statSync(join(scratch.path, 'run.sh')).mode & 0o111).not.toBe(0)
  })

  it('leave out what tools generate, unless the project keeps such files', async () => {
    const { workspace } = await live(FILES)
    writeFiles(workspace.path, { 'node_modules/x/index.js': 'x', 'src/__pycache__/a.pyc': 'x', 'src/c.py': 'c\n' })
    expect((await workspace.changes()).map((it) => it.path)).toEqual(['src/c.py'])
    const keeps = await live({ 'vendor.js': '', 'node_modules/own/index.js': 'own\n' })
    writeFiles(keeps.workspace.path, { 'node_modules/own/more.js': 'more\n' })
    expect((await keeps.workspace.changes()).map((it) => it.path)).toEqual(['node_modules/own/more.js'])
  })

  it('take a nested repository as ordinary files, and say so', async () => {
    const { workspace, root } = await live(FILES)
    mkdirSync(join(workspace.path, 'sub'))
    git(join(workspace.path, 'sub'), 'init', '-q')
    writeFiles(workspace.path, { 'sub/x.txt': 'x\n' })
    expect(await workspace.problems?.()).toEqual([
      '"sub" is a git repository of its own; its files are taken as ordinary files, its history is kept only in attempts.',
    ])
    git(join(workspace.path, 'sub'), 'add', '-A')
    git(join(workspace.path, 'sub'), 'commit', '-qm', 'inner')
    writeFiles(workspace.path, { 'sub/y.txt': 'y\n' })
    const { commit } = await workspace.checkpoint('feat: sub')
    await workspace.publish()
    expect(git(root, 'ls-tree', '-r', commit)).not.toContain('160000')
    expect(git(root, 'ls-tree', '-r', '--name-only', commit, 'sub')).toBe('sub/x.txt\nsub/y.txt')
  })

  it('go on when a file cannot be added, and say which', async () => {
    const { workspace } = await live(FILES)
    writeFiles(workspace.path, {
      '.gitattributes': '*.txt working-tree-encoding=no-such-encoding\n',
      'f.txt': 'two\n',
      'src/new.ts': 'new\n',
    })
    const { changed } = await workspace.checkpoint('feat: odd')
    expect(changed).toBe(true)
    expect((await workspace.changes()).map((it) => it.path)).toContain('src/new.ts')
  })
})

describe('changes and patches', () => {
  it('count lines, and none for links and binary files', async () => {
    const { workspace } = await live({ ...FILES, 'bin.dat': 'a\0b' })
    writeFiles(workspace.path, { 'f.txt': 'one\ntwo\n', 'größe ä.txt': 'x\n', 'bin.dat': 'a\0c' })
    symlinkSync('f.txt', join(workspace.path, 'link'))
    rmSync(join(workspace.path, 'src/a.ts'))
    expect(await workspace.changes()).toEqual([
      { path: 'bin.dat', status: 'modified', opaque: true, added: 0, removed: 0 },
      { path: 'f.txt', status: 'modified', opaque: false, added: 1, removed: 0 },
      { path: 'größe ä.txt', status: 'added', opaque: false, added: 1, removed: 0 },
      { path: 'link', status: 'added', opaque: true, added: 0, removed: 0 },
      { path: 'src/a.ts', status: 'deleted', opaque: false, added: 0, removed: 1 },
    ])
    const patch = await workspace.patch()
    expect(patch).toContain('--- a/f.txt\n+++ b/f.txt\n@@ -1 +1,2 @@\n one\n+two\n')
    expect(patch).toContain('größe ä.txt')
  })

  it('cut a long patch and say so', async () => {
    const { workspace } = await live(FILES)
    writeFiles(workspace.path, { 'long.txt': 'line\n'.repeat(100_000) })
    const patch = await workspace.patch(undefined, 1000)
    expect(patch.length).toBeLessThan(1100)
    expect(patch).toContain('[the patch goes on; it was cut after 1000 bytes]')
  })

  it('read files and lists of the base and of checkpoints', async () => {
    const { workspace } = await live(FILES)
    writeFiles(workspace.path, { 'f.txt': 'two\n' })
    const { commit } = await workspace.checkpoint('feat: two')
    expect([await workspace.fileAt('f.txt'), await workspace.fileAt('f.txt', commit), await workspace.fileAt('nope')]).toEqual([
      'one\n',
      'two\n',
      null,
    ])
    expect(await workspace.filesAt()).toEqual(['.gitignore', 'f.txt', 'src/a.ts', 'src/b.ts'])
    await expect(workspace.fileAt('f.txt', '0'.repeat(40))).rejects.toThrow('git cat-file failed')
  })
})

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

describe('scratch checkouts', () => {
  it('show a commit, take files by the path rules, and go away', async () => {
    const { workspace } = await live(FILES)
    writeFiles(workspace.path, { 'f.txt': 'two\n' })
    const { commit } = await workspace.checkpoint('feat: two')
    const [base, change] = [await workspace.scratch(), await workspace.scratch(commit)]
    expect([read(base.path, 'f.txt'), read(change.path, 'f.txt')]).toEqual(['one\n', 'two\n'])
    await base.put('src/new/x.ts', Buffer.from('x'))
    await base.put('f.txt', null)
    await base.put('not/there', null)
    await expect(base.put('../out', Buffer.from('x'))).rejects.toThrow('it has the part ".."')
    expect(git(base.path, 'status', '--porcelain')).toBe('D f.txt\n?? src/new/')
    expect(git(change.path, 'log', '--format=%s')).toBe('feat: two\nFirst commit')
    await Promise.all([base.dispose(), change.dispose()])
    expect(existsSync(base.path)).toBe(false)
    expect(await workspace.treeHash()).toBe(
      git(workspace.path, '--git-dir', join(workspace.path, '../git'), 'rev-parse', `${commit}^{tree}`),
    )
  })
})

describe('the repository of the user', () => {
  it('stays byte-identical over a whole life, whatever state it is in', async () => {
    const root = makeRepository({ ...FILES, 'staged.txt': 'a\n', 'changed.txt': 'a\n' })
    writeFiles(root, { 'stash.txt': 'stashed\n' })
    git(root, 'add', '-A')
    git(root, 'stash', '-q')
    writeFiles(root, { 'staged.txt': 'b\n', 'untracked.txt': 'u\n', 'ignored/x': 'x\n' })
    git(root, 'add', 'staged.txt')
    writeFiles(root, { 'changed.txt': 'b\n' })
    const before = fingerprint(root)
    const { workspace, project, dataDir } = await live({}, { root, setup: ['mkdir -p node_modules && echo x > node_modules/x'] })
    writeFiles(workspace.path, { 'new.txt': 'new\n' })
    const { commit } = await workspace.checkpoint('feat: new')
    writeFiles(workspace.path, { 'wrong.txt': 'wrong\n' })
    await workspace.restore(commit)
    await (await workspace.scratch(commit)).dispose()
    await workspace.publish({ branch: true })
    await land({
      project,
      run: 'r1',
      commit,
      base: workspace.base,
      how: 'branch',
      branch: workspace.branch,
      message: 'feat: new',
      trailers: {},
    })
    expect(fingerprint(root)).toEqual(before)
    await reap({ project, runId: 'r1', dataDir, branch: 'delete' })
    expect(fingerprint(root)).toEqual(before)
    expect(existsSync(join(root, '.git/worktrees'))).toBe(false)
    expect(git(root, 'worktree', 'list').split('\n')).toHaveLength(1)
  })

  it('serves twenty runs at once, which never see each other', async () => {
    const root = makeRepository(FILES)
    const before = fingerprint(root)
    const project = await openProject(root)
    const dataDir = temporaryFolder('reeve-data-')
    const runs = Array.from({ length: 20 }, (_, at) => `r${at}`)
    const heads = await Promise.all(
      runs.map(async (runId) => {
        const workspace = await createWorkspace(createOptions(project, { dataDir, runId }))
        writeFiles(workspace.path, { 'mine.txt': `${runId}\n` })
        await workspace.checkpoint(`feat: ${runId}`)
        writeFiles(workspace.path, { 'wrong.txt': `${runId}\n` })
        await workspace.keepAttempt()
        expect((await workspace.changes()).map((it) => it.path)).toEqual(['mine.txt', 'wrong.txt'])
        await workspace.publish({ branch: true })
        return workspace.branch
      }),
    )
    expect(new Set(heads).size).toBe(20)
    expect(git(root, 'for-each-ref', 'refs/reeve/attempts', '--format=%(refname)').split('\n')).toHaveLength(20)
    await Promise.all(runs.map((runId) => reap({ project, runId, dataDir, branch: 'delete' })))
    expect(git(root, 'for-each-ref', 'refs/heads', '--format=%(refname)')).toBe('refs/heads/main')
    expect(fingerprint(root)).toEqual(before)
  })
})
