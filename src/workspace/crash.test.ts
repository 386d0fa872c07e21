import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { unkept } from '../../test/support/keeping.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { createOptions, fingerprint } from '../../test/workspace/life.ts'
import { runProgram } from '../process/run-program.ts'
import { openProject } from './project.ts'
import { reap } from './reap.ts'
import { createWorkspace, openWorkspace } from './workspace.ts'

const FILES = { 'f.txt': 'one\n', '.gitignore': 'node_modules/\n' }
const SETUP = ['mkdir -p node_modules && echo installed > node_modules/x']
// Of this file alone: programs of a dead run are ended wherever they are, also those of another test with the same run.
const RUN = 'rcrash'
const SCRIPT = fileURLToPath(new URL('../../test/workspace/crash-life.ts', import.meta.url))

function scene() {
  const root = makeRepository(FILES)
  return { root, dataDir: temporaryFolder('reeve-data-'), before: fingerprint(root) }
}

async function live({ root, dataDir }: { root: string; dataDir: string }, act: string, more: { at?: string; killAfterMs?: number }) {
  const env = { PATH: process.env['PATH'] ?? '', ...(more.at === undefined ? {} : { REEVE_CRASH_AT: more.at }) }
  return await runProgram({
    argv: [process.execPath, SCRIPT, JSON.stringify({ root, dataDir, act, killAfterMs: more.killAfterMs ?? null })],
    cwd: root,
    env,
    timeoutMs: 60_000,
  })
}

describe('after the process died', () => {
  it('between the worktree and its record, the workspace is made anew, once', async () => {
    const { root, dataDir, before } = scene()
    expect(await live({ root, dataDir }, 'create', { at: 'after-worktree-before-record' })).toMatchObject({
      ended: 'signalled',
      signal: 'SIGKILL',
    })
    const project = await openProject(root)
    const workspace = await createWorkspace(createOptions(project, { runId: RUN, dataDir, setup: SETUP }))
    expect(workspace.branch).toBe('auto/backend/fix-it')
    expect(readFileSync(join(workspace.path, 'f.txt'), 'utf8')).toBe('one\n')
    expect(git(workspace.path, 'status', '--porcelain')).toBe('')
    expect(git(root, 'worktree', 'list').split('\n')).toHaveLength(2)
    expect(git(root, 'for-each-ref', 'refs/heads', '--format=%(refname:short)').split('\n')).toEqual(['auto/backend/fix-it', 'main'])
    expect(fingerprint(root)).toEqual(before)
  })

  it('after a commit and before it was published, the commit is there and not made twice', async () => {
    const { root, dataDir } = scene()
    expect((await live({ root, dataDir }, 'all', { at: 'after-commit-before-publish' })).signal).toBe('SIGKILL')
    const workspace = await createWorkspace(createOptions(await openProject(root), { runId: RUN, dataDir, setup: SETUP }))
    const again = await workspace.checkpoint('feat: new')
    expect(again.changed).toBe(false)
    await workspace.publish({ branch: true })
    expect(git(root, 'log', '--format=%s', 'auto/backend/fix-it')).toBe('feat: new\nFirst commit')
  })

  it('after an attempt was kept and before the files were put back, both happen, the attempt once', async () => {
    const { root, dataDir } = scene()
    expect((await live({ root, dataDir }, 'all', { at: 'after-keep-before-restore' })).signal).toBe('SIGKILL')
    const workspace = await createWorkspace(createOptions(await openProject(root), { runId: RUN, dataDir, setup: SETUP }))
    expect(readFileSync(join(workspace.path, 'wrong.txt'), 'utf8')).toBe('wrong\n')
    await workspace.restore((await workspace.publish()).trim())
    expect(existsSync(join(workspace.path, 'wrong.txt'))).toBe(false)
    expect(git(root, 'for-each-ref', '--format=%(refname)', 'refs/reeve/attempts')).toBe('refs/reeve/attempts/rcrash/1')
    expect(git(root, 'show', 'refs/reeve/attempts/rcrash/1:wrong.txt')).toBe('wrong')
  })

  it('in the middle of its removal, the removal goes on and no new workspace is made of what is left', async () => {
    const { root, dataDir, before } = scene()
    expect((await live({ root, dataDir }, 'all', { at: 'after-removal-before-record' })).signal).toBe('SIGKILL')
    expect(readdirSync(join(dataDir, 'runs/rcrash'))).toEqual(['workspace.json'])
    const project = await openProject(root)
    const again = createWorkspace(createOptions(project, { runId: RUN, dataDir, setup: SETUP }))
    await expect(again).rejects.toThrow('The workspace of run rcrash is being removed.')
    await reap({ project, runId: RUN, dataDir, branch: 'delete' })
    expect(existsSync(join(dataDir, 'runs/rcrash'))).toBe(false)
    expect(fingerprint(root)).toEqual(before)
  })

  it('its locks, its scratch checkouts and its programs are cleared away, but not those of one that lives', async () => {
    const { root, dataDir } = scene()
    const project = await openProject(root)
    const workspace = await createWorkspace(createOptions(project, { runId: RUN, dataDir, setup: SETUP }))
    const run = join(dataDir, 'runs/rcrash')
    const locks = [join(run, 'git/index.lock'), join(root, '.git/refs/heads/auto/backend/fix-it.lock')]
    const leave = () => {
      for (const lock of locks) writeFileSync(lock, '')
      writeFiles(run, { 'scratch/s-x/tree/f': 'x' })
    }
    const env = { PATH: process.env['PATH'] ?? '', REEVE_RUN: RUN }
    const left = runProgram({ argv: ['sleep', '300'], cwd: '/', env, timeoutMs: 60_000 })
    leave()
    await openWorkspace({ project, runId: RUN, dataDir, keeping: unkept })
    expect(
      locks.map((it) => existsSync(it)),
      'this process had it open: nothing is touched',
    ).toEqual([true, true])

    writeFileSync(join(run, 'owner'), '1 0\n') // process 1 began at another time: a number that was used again
    await openWorkspace({ project, runId: RUN, dataDir, keeping: unkept })
    expect(locks.map((it) => existsSync(it))).toEqual([false, false])
    expect(existsSync(join(run, 'scratch'))).toBe(false)
    expect(await left).toMatchObject({ ended: 'signalled', signal: 'SIGKILL' })
    writeFiles(workspace.path, { 'n.txt': 'n\n' })
    expect((await workspace.checkpoint('feat: n')).changed).toBe(true)
    await workspace.publish({ branch: true })
  })

  it('at any moment, the workspace can be made, used and removed, and the user has lost nothing', async () => {
    const { root, dataDir, before } = scene()
    const whole = await live(scene(), 'all', {})
    expect(whole.stdout).toBe('lived\n')
    const project = await openProject(root)
    for (const part of [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) {
      const { ended } = await live({ root, dataDir }, 'all', { killAfterMs: Math.round(whole.durationMs * part) })
      expect(['signalled', 'exited']).toContain(ended)
    }
    const workspace = await createWorkspace(createOptions(project, { runId: RUN, dataDir, setup: SETUP, taskId: 'other' })).catch(
      (error: unknown) => String(error),
    )
    if (typeof workspace === 'string') expect(workspace).toContain('is being removed')
    else {
      writeFiles(workspace.path, { 'last.txt': 'last\n' })
      await workspace.checkpoint('feat: last')
    }
    await reap({ project, runId: RUN, dataDir, branch: 'delete' })
    expect(existsSync(join(dataDir, 'runs/rcrash'))).toBe(false)
    expect(fingerprint(root)).toEqual(before)
  })
})
