import { existsSync, readFileSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { unkept } from '../../test/support/keeping.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { createOptions, fingerprint, live } from '../../test/workspace/life.ts'
import { land } from './land.ts'
import { openProject } from './project.ts'
import { reap } from './reap.ts'
import { createWorkspace, openWorkspace } from './workspace.ts'

const FILES = { 'f.txt': 'one\n', 'src/a.ts': 'a\n', 'src/b.ts': 'b\n', '.gitignore': 'ignored/\n' }

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

  it("gives an agent's commands a home that begins as the setup left it, and that the gates never see", async () => {
    const { workspace, project, dataDir } = await live({}, { setup: ['echo tool > "$HOME/tool"'] })
    const [own, gates] = [workspace.agentEnv?.['HOME'] ?? '', workspace.env['HOME'] ?? '']
    expect(readFileSync(join(own, 'tool'), 'utf8')).toBe('tool\n')
    writeFiles(own, { tool: 'another\n', '.npmrc': 'script-shell=/bin/true\n' })
    const again = await openWorkspace({ project, runId: 'r1', dataDir, keeping: unkept })
    expect(again.agentEnv).toEqual(workspace.agentEnv)
    expect(again.env).toEqual(workspace.env)
    expect(readFileSync(join(gates, 'tool'), 'utf8')).toBe('tool\n')
    expect(existsSync(join(gates, '.npmrc'))).toBe(false)
    expect((await again.scratch()).env).toEqual(workspace.env)
  })

  it('takes nothing from the folder that a link in the place of the tree leads to', async () => {
    const outside = temporaryFolder()
    writeFiles(outside, { 'f.txt': 'private\n' })
    const { workspace, project, dataDir } = await live(FILES)
    renameSync(workspace.path, `${workspace.path}-aside`)
    symlinkSync(outside, workspace.path)
    await expect(workspace.checkpoint('feat: x')).rejects.toThrow('is not a folder any more')
    await expect(workspace.restore(workspace.base)).rejects.toThrow('is not a folder any more')
    await expect(workspace.keepAttempt()).rejects.toThrow('is not a folder any more')
    await reap({ project, runId: 'r1', dataDir, branch: 'delete' })
    expect(readFileSync(join(outside, 'f.txt'), 'utf8')).toBe('private\n')
    expect(existsSync(workspace.path)).toBe(false)
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
