import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { git } from '../../test/support/repository.ts'
import { live } from '../../test/workspace/life.ts'
import { reap } from './reap.ts'
import { listAttempts, restoreAttempt } from './rescue.ts'

const FILES = { 'f.txt': 'one\n', '.gitignore': 'ignored/\n' }
const refs = (root: string) => git(root, 'for-each-ref', '--format=%(refname)').split('\n')

describe('removing a workspace', () => {
  it('keeps first what no ref holds yet', async () => {
    const { root, project, dataDir, workspace } = await live(FILES)
    writeFiles(workspace.path, { 'unsaved.txt': 'precious\n' })
    await reap({ project, runId: 'r1', dataDir })
    expect(existsSync(join(dataDir, 'runs/r1'))).toBe(false)
    expect(git(root, 'show', 'refs/reeve/attempts/r1/1:unsaved.txt')).toBe('precious')
    expect(refs(root)).toEqual(['refs/heads/auto/backend/fix-it', 'refs/heads/main', 'refs/reeve/attempts/r1/1'])
    await reap({ project, runId: 'r1', dataDir }) // nothing left to do
  })

  it('refuses when it may not keep, and then removes nothing', async () => {
    const { root, project, dataDir, workspace } = await live(FILES)
    writeFiles(workspace.path, { 'unsaved.txt': 'precious\n' })
    const asked = { project, runId: 'r1', dataDir, unsaved: 'refuse' } as const
    await expect(reap(asked)).rejects.toThrow('The workspace of run r1 holds work that is in no git ref; it is not removed.')
    expect(readFileSync(join(workspace.path, 'unsaved.txt'), 'utf8')).toBe('precious\n')
    await workspace.keepAttempt()
    await reap(asked)
    expect(refs(root)).toContain('refs/reeve/attempts/r1/1')
  })

  it('refuses when the private git dir is gone, whose work nobody can account for', async () => {
    const { project, dataDir, workspace } = await live(FILES)
    rmSync(join(dataDir, 'runs/r1/git'), { recursive: true })
    await expect(reap({ project, runId: 'r1', dataDir })).rejects.toMatchObject({ code: 'not_snapshotted' })
    expect(existsSync(workspace.path)).toBe(true)
  })

  it('needs no attempt when everything is committed, and holds the commits that are on no branch', async () => {
    const { root, project, dataDir, workspace } = await live(FILES)
    writeFiles(workspace.path, { 'done.txt': 'done\n', 'ignored/x': 'x' })
    const { commit } = await workspace.checkpoint('feat: done')
    await reap({ project, runId: 'r1', dataDir, branch: 'delete' })
    expect(refs(root)).toEqual(['refs/heads/main', 'refs/reeve/runs/r1'])
    expect(git(root, 'rev-parse', 'refs/reeve/runs/r1')).toBe(commit)
  })

  it('leaves no ref but the branch when the work is on it, and none when it has landed', async () => {
    const { root, project, dataDir, workspace } = await live(FILES)
    writeFiles(workspace.path, { 'done.txt': 'done\n' })
    await workspace.checkpoint('feat: done')
    await workspace.publish({ branch: true })
    await reap({ project, runId: 'r1', dataDir })
    expect(refs(root)).toEqual(['refs/heads/auto/backend/fix-it', 'refs/heads/main'])
    const second = await live({}, { root, dataDir, runId: 'r2' })
    writeFiles(second.workspace.path, { 'more.txt': 'more\n' })
    const { commit } = await second.workspace.checkpoint('feat: more')
    await second.workspace.publish({ branch: true })
    git(root, 'merge', '-q', commit)
    await reap({ project, runId: 'r2', dataDir, branch: 'delete' })
    expect(refs(root)).toEqual(['refs/heads/auto/backend/fix-it', 'refs/heads/main'])
  })

  it('does not delete a branch that a person has added commits to', async () => {
    const { root, project, dataDir, workspace } = await live(FILES)
    writeFiles(workspace.path, { 'mine.txt': 'mine\n' })
    git(workspace.path, 'add', '-A')
    git(workspace.path, 'commit', '-qm', 'By hand')
    const tip = git(root, 'rev-parse', workspace.branch)
    await reap({ project, runId: 'r1', dataDir, branch: 'delete' })
    expect(git(root, 'rev-parse', workspace.branch)).toBe(tip)
  })

  it('gives attempts up only when told to', async () => {
    const { root, project, dataDir, workspace } = await live(FILES)
    writeFiles(workspace.path, { 'x.txt': 'x\n' })
    await workspace.keepAttempt()
    await reap({ project, runId: 'r1', dataDir, branch: 'delete', forgetAttempts: true })
    expect(refs(root)).toEqual(['refs/heads/main'])
  })
})

describe('bringing attempts back', () => {
  it('lists them and restores one into a new branch or an empty folder, never onto the checkout', async () => {
    const { root, project, dataDir, workspace } = await live(FILES)
    writeFiles(workspace.path, { 'x.txt': 'first\n', 'sub dir/ö.txt': 'ö\n' })
    await workspace.keepAttempt()
    writeFiles(workspace.path, { 'x.txt': 'second\n' })
    await workspace.keepAttempt()
    await reap({ project, runId: 'r1', dataDir, branch: 'delete' })

    const all = await listAttempts(project)
    expect(all.map((it) => [it.run, it.number, it.subject])).toEqual([
      ['r1', 1, 'chore: keep attempt 1 of fix-it'],
      ['r1', 2, 'chore: keep attempt 2 of fix-it'],
    ])
    expect(Date.parse(all[0]?.at ?? '')).toBeGreaterThan(0)
    expect(await listAttempts(project, 'r2')).toEqual([])

    const [ref] = all.map((it) => it.ref)
    const folder = join(temporaryFolder(), 'back')
    await restoreAttempt(project, ref ?? '', { folder })
    expect(readFileSync(join(folder, 'x.txt'), 'utf8')).toBe('first\n')
    expect(readFileSync(join(folder, 'sub dir/ö.txt'), 'utf8')).toBe('ö\n')
    const commit = await restoreAttempt(project, ref ?? '', { branch: 'rescued' })
    expect(git(root, 'rev-parse', 'rescued')).toBe(commit)

    await expect(restoreAttempt(project, ref ?? '', { branch: 'rescued' })).rejects.toMatchObject({ code: 'branch_taken' })
    await expect(restoreAttempt(project, ref ?? '', { folder })).rejects.toThrow('it is not empty')
    await expect(restoreAttempt(project, ref ?? '', { folder: root })).rejects.toThrow('it is inside the checkout')
    await expect(restoreAttempt(project, ref ?? '', { folder: join(root, 'new') })).rejects.toThrow('it is inside the checkout')
    await expect(restoreAttempt(project, 'refs/reeve/attempts/r1/9', { branch: 'x' })).rejects.toMatchObject({ code: 'unknown_revision' })
    expect(readdirSync(root).toSorted()).toEqual(['.git', '.gitignore', 'f.txt'])
  })
})
