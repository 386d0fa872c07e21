import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeFiles } from '../../test/support/folder.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { live } from '../../test/workspace/life.ts'
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

  it('begins from a branch or a tag by name, and takes no option for a commit', async () => {
    const root = makeRepository(FILES)
    git(root, 'tag', 'v1')
    const { workspace } = await live({}, { root, base: 'v1' })
    expect(workspace.base).toBe(git(root, 'rev-parse', 'HEAD'))
    await expect(live({}, { root, runId: 'r2', base: '--output=x' })).rejects.toThrow('No commit "--output=x"')
    for (const name of ['restore', 'scratch', 'changes', 'filesAt'] as const) {
      await expect(workspace[name]('--output=x')).rejects.toMatchObject({ code: 'unknown_revision' })
    }
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
