import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { createOptions, fingerprint } from '../../test/workspace/life.ts'
import { land } from './land.ts'
import type { Project } from './port.ts'
import { openProject } from './project.ts'
import { reap } from './reap.ts'
import { listFiles, mergeBase, resolveCommit, showFile } from './revisions.ts'
import { createWorkspace } from './workspace.ts'

/** Makes a workspace, commits, keeps, restores, publishes and removes it; the checkout must be as before. Returns the published commit. */
async function wholeLife(project: Project, more: { lands?: 'squash' } = {}): Promise<string> {
  const before = fingerprint(project.root)
  const options = createOptions(project)
  const workspace = await createWorkspace(options)
  expect(git(workspace.path, 'status', '--porcelain')).toBe('')
  expect(await workspace.changes()).toEqual([])
  writeFiles(workspace.path, { 'neu/größe ß.txt': 'new\n' })
  const { commit } = await workspace.checkpoint('feat: new')
  writeFiles(workspace.path, { 'wrong.txt': 'wrong\n' })
  await workspace.restore(commit)
  await (await workspace.scratch()).dispose()
  expect(await workspace.publish({ branch: true })).toBe(commit)
  expect(fingerprint(project.root)).toEqual(before)
  if (more.lands) await land({ project, run: 'r1', commit, base: workspace.base, how: more.lands, message: 'feat: new', trailers: {} })
  await reap({ project, runId: 'r1', dataDir: options.dataDir })
  expect(git(project.root, 'show', `${commit}:neu/größe ß.txt`)).toBe('new')
  return commit
}

describe('a project', () => {
  it('is found from a subfolder, with real paths', async () => {
    const root = makeRepository({ 'a/b/c.txt': 'c\n' })
    const project = await openProject(join(root, 'a/b'))
    expect(project).toEqual({
      root,
      gitDir: join(root, '.git'),
      name: 'project',
      head: git(root, 'rev-parse', 'HEAD'),
      branch: 'main',
      objectFormat: 'sha1',
    })
  })

  it('must be a repository with a commit and a checkout, and the error says what to do', async () => {
    const folder = temporaryFolder()
    await expect(openProject(folder)).rejects.toThrow(`"${folder}" is not inside a git repository.`)
    await expect(openProject(join(folder, 'missing'))).rejects.toThrow('is not inside a git repository.')
    mkdirSync(join(folder, 'empty'))
    git(join(folder, 'empty'), 'init', '-q')
    await expect(openProject(join(folder, 'empty'))).rejects.toMatchObject({
      code: 'no_commits',
      hint: expect.stringContaining('git commit'),
    })
    git(folder, 'init', '-q', '--bare', 'bare')
    await expect(openProject(join(folder, 'bare'))).rejects.toMatchObject({ code: 'bare_repository' })
  })

  it('is not one that a task has planted inside a folder', async () => {
    const root = makeRepository({ 'a.txt': 'a\n' })
    git(root, 'init', '-q', '--bare', 'planted')
    writeFiles(root, { 'planted/config': '[core]\n\tbare = false\n\tworktree = ..\n\tfsmonitor = "touch executed"\n' })
    await expect(openProject(join(root, 'planted'))).rejects.toMatchObject({ code: 'bare_repository' })
  })

  it('names revisions: branches, tags, HEAD and what is unknown', async () => {
    const root = makeRepository({ 'a.txt': 'a\n' })
    git(root, 'commit', '-q', '--allow-empty', '-m', 'Second')
    git(root, 'tag', '-a', 'v1', '-m', 'v1')
    const project = await openProject(root)
    const head = git(root, 'rev-parse', 'HEAD')
    for (const name of ['HEAD', 'main', 'v1', '@', head.slice(0, 8)]) expect(await resolveCommit(project, name), name).toBe(head)
    expect(await resolveCommit(project, 'HEAD~1')).toBe(git(root, 'rev-parse', 'HEAD~1'))
    for (const name of ['nope', '', '--upload-pack=x', 'a\0b', 'HEAD:a.txt']) {
      await expect(resolveCommit(project, name), name).rejects.toMatchObject({ code: 'unknown_revision' })
    }
    expect([await showFile(project, head, 'a.txt'), await showFile(project, head, 'b.txt')]).toEqual(['a\n', null])
    expect(await listFiles(project, head)).toEqual(['a.txt'])
    expect(await mergeBase(project, head, `${head}~1`)).toBe(git(root, 'rev-parse', 'HEAD~1'))
  })
})

describe('workspaces of odd repositories', () => {
  it('spaces and other alphabets in paths', async () => {
    await wholeLife(
      await openProject(makeRepository({ 'ein ordner/日本語.txt': 'x\n', "it's": 'y\n', '"q"': 'z\n' }, 'mein projekt "ü"')),
      {
        lands: 'squash',
      },
    )
  })

  it('a detached HEAD', async () => {
    const root = makeRepository({ 'a.txt': 'a\n' })
    git(root, 'checkout', '-q', '--detach')
    const project = await openProject(root)
    expect(project.branch).toBeNull()
    await wholeLife(project)
  })

  it('a linked worktree with another HEAD than the main checkout', async () => {
    const root = makeRepository({ 'a.txt': 'a\n' })
    const linked = join(temporaryFolder(), 'linked')
    git(root, 'worktree', 'add', '-q', '-b', 'side', linked)
    writeFiles(linked, { 'side.txt': 's\n' })
    git(linked, 'add', '-A')
    git(linked, 'commit', '-qm', 'Side')
    const project = await openProject(linked)
    expect(project).toMatchObject({ root: linked, gitDir: join(root, '.git'), branch: 'side', head: git(linked, 'rev-parse', 'HEAD') })
    expect(await resolveCommit(project, 'HEAD')).toBe(project.head)
    await wholeLife(project, { lands: 'squash' })
    expect(readFileSync(join(linked, 'neu/größe ß.txt'), 'utf8')).toBe('new\n')
    expect(git(linked, 'status', '--porcelain')).toBe('')
  })

  it('a shallow clone', async () => {
    const origin = makeRepository({ 'a.txt': 'a\n' })
    for (const name of ['b', 'c', 'd']) git(origin, 'commit', '-q', '--allow-empty', '-m', name)
    const clone = join(temporaryFolder(), 'clone')
    git(origin, 'clone', '-q', '--depth', '2', `file://${origin}`, clone)
    await wholeLife(await openProject(clone), { lands: 'squash' })
  })

  it('SHA-256 objects', async () => {
    const root = join(temporaryFolder(), 'sha256')
    mkdirSync(root)
    git(root, 'init', '-q', '-b', 'main', '--object-format=sha256')
    writeFiles(root, { 'a.txt': 'a\n' })
    git(root, 'add', '-A')
    git(root, 'commit', '-qm', 'First')
    const project = await openProject(root)
    expect(project.objectFormat).toBe('sha256')
    expect(await wholeLife(project, { lands: 'squash' })).toHaveLength(64)
  })

  it('submodules that are not there', async () => {
    const library = makeRepository({ 'l.txt': 'l\n' }, 'library')
    const root = makeRepository({ 'a.txt': 'a\n' })
    git(root, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'lib')
    git(root, 'commit', '-qm', 'Submodule')
    const link = git(root, 'rev-parse', 'HEAD:lib')
    rmSync(join(root, 'lib'), { recursive: true })
    mkdirSync(join(root, 'lib'))
    const commit = await wholeLife(await openProject(root))
    expect(git(root, 'rev-parse', `${commit}:lib`)).toBe(link)
  })

  it('a submodule that the setup filled and the task committed in: the link stays, the work is kept in attempts', async () => {
    const library = makeRepository({ 'l.txt': 'l\n' }, 'library')
    const root = makeRepository({ 'a.txt': 'a\n' })
    git(root, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'lib')
    git(root, 'commit', '-qm', 'Submodule')
    const project = await openProject(root)
    const setup = ['git -c protocol.file.allow=always submodule --quiet update --init']
    const workspace = await createWorkspace(createOptions(project, { setup }))
    const lib = join(workspace.path, 'lib')
    expect(await workspace.changes()).toEqual([])
    writeFiles(lib, { 'l.txt': 'changed\n' })
    git(lib, 'commit', '-qam', 'Inner')
    expect((await workspace.checkpoint('feat: none')).changed).toBe(false)
    const { ref } = await workspace.keepAttempt()
    expect(git(root, 'show', `${ref}:lib/l.txt`)).toBe('changed')
  })

  it('other checkouts of the user, one of them gone: they stay registered', async () => {
    const root = makeRepository({ 'a.txt': 'a\n' })
    const [one, two] = [join(temporaryFolder(), 'tree'), join(temporaryFolder(), 'two')]
    git(root, 'worktree', 'add', '-q', one)
    git(root, 'worktree', 'add', '-q', two)
    rmSync(two, { recursive: true })
    const before = git(root, 'worktree', 'list', '--porcelain')
    await wholeLife(await openProject(root))
    expect(git(root, 'worktree', 'list', '--porcelain')).toBe(before)
  })
})
