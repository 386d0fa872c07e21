import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { unkept } from '../../test/support/keeping.ts'
import { itNeeds } from '../../test/support/needs.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { createOptions, live } from '../../test/workspace/life.ts'
import { runProgram } from '../process/run-program.ts'
import { cloneAt } from './clone.ts'
import { openProject } from './project.ts'
import { createWorkspace } from './workspace.ts'

const FILES = { 'package.json': '{}', 'package-lock.json': '{"lockfileVersion":3}', '.gitignore': 'node_modules\n.env*\ndist\n' }
const read = (folder: string, path: string) => readFileSync(join(folder, path), 'utf8')

/** A setup that says in a file outside how often it ran, and installs something with a link in it. */
function counted(more = '') {
  const log = join(temporaryFolder(), 'ran')
  writeFileSync(log, '')
  const setup = [
    `mkdir -p node_modules/x node_modules/.bin; echo "installed" > node_modules/x/i.js; ln -sf ../x/i.js node_modules/.bin/x; echo ran >> '${log}'${more}`,
  ]
  return { setup, times: () => readFileSync(log, 'utf8').split('\n').length - 1 }
}

describe('setup commands', () => {
  it('run once for the same lock file; the next workspace gets copies, with links as links', async () => {
    const { setup, times } = counted()
    const first = await live(FILES, { setup })
    const second = await live({}, { root: first.root, dataDir: first.dataDir, runId: 'r2', setup })
    expect(times()).toBe(1)
    expect(read(second.workspace.path, 'node_modules/x/i.js')).toBe('installed\n')
    expect(lstatSync(join(second.workspace.path, 'node_modules')).isSymbolicLink()).toBe(false)
    expect(lstatSync(join(second.workspace.path, 'node_modules/.bin/x')).isSymbolicLink()).toBe(true)
    writeFiles(second.workspace.path, { 'node_modules/x/i.js': 'changed by a task\n' })
    const third = await live({}, { root: first.root, dataDir: first.dataDir, runId: 'r3', setup })
    expect(read(third.workspace.path, 'node_modules/x/i.js')).toBe('installed\n')
    expect(times()).toBe(1)
  })

  it('run once for many workspaces that begin together', async () => {
    const { setup, times } = counted('; sleep 0.5')
    const root = makeRepository(FILES)
    const project = await openProject(root)
    const dataDir = temporaryFolder('reeve-data-')
    const all = await Promise.all([1, 2, 3, 4].map((at) => createWorkspace(createOptions(project, { dataDir, runId: `r${at}`, setup }))))
    for (const workspace of all) expect(read(workspace.path, 'node_modules/x/i.js')).toBe('installed\n')
    expect(times()).toBe(1)
  })

  it('run again when the lock file or the commands differ', async () => {
    const { setup, times } = counted()
    const { root, dataDir } = await live(FILES, { setup })
    writeFiles(root, { 'package-lock.json': '{"lockfileVersion":2}' })
    git(root, 'commit', '-qam', 'Lock')
    await live({}, { root, dataDir, runId: 'r2', setup })
    expect(times()).toBe(2)
    await live({}, { root, dataDir, runId: 'r3', setup: [...setup, 'true'] })
    expect(times()).toBe(3)
  })

  it('run again when they make more than dependencies, such as a build', async () => {
    const { setup, times } = counted('; mkdir -p dist; echo built > dist/out.js')
    const first = await live(FILES, { setup })
    const second = await live({}, { root: first.root, dataDir: first.dataDir, runId: 'r2', setup })
    expect(times()).toBe(2)
    expect(read(second.workspace.path, 'dist/out.js')).toBe('built\n')
  })

  it('have the environment of programs and the tree as their folder', async () => {
    const { workspace } = await live(FILES, { setup: ['mkdir node_modules; pwd > node_modules/where; env > node_modules/env'] })
    expect(read(workspace.path, 'node_modules/where').trim()).toBe(workspace.path)
    expect(read(workspace.path, 'node_modules/env')).toContain(`HOME=${workspace.env['HOME']}`)
  })

  it('that fail are an error of the environment with command, code and last lines', async () => {
    const setup = ['true', 'for at in 1 2 3; do echo line $at; done; echo broken >&2; exit 7']
    await expect(live(FILES, { setup })).rejects.toMatchObject({
      code: 'environment',
      message: expect.stringMatching(/^The setup command "for at .*" failed with exit code 7\nline 1\nline 2\nline 3\nbroken$/s),
    })
  })

  it('that fail with much to say show how it began and how it ended', async () => {
    const setup = ['echo the cause; for at in $(seq 50); do echo line $at; done; echo the end; exit 1']
    await expect(live(FILES, { setup })).rejects.toMatchObject({
      message: expect.stringMatching(/\nthe cause\nline 1\n(?:line \d\n){6}\.{3}\n(?:line \d+\n){7}the end$/),
    })
  })

  it('that failed can be tried again', async () => {
    const flag = join(temporaryFolder(), 'flag')
    const setup = [`test -e '${flag}'`]
    const root = makeRepository(FILES)
    const options = createOptions(await openProject(root), { setup })
    await expect(createWorkspace(options)).rejects.toThrow('failed with exit code 1')
    writeFileSync(flag, '')
    expect((await createWorkspace(options)).branch).toBe('auto/backend/fix-it')
  })

  it('that change tracked files or leave others behind do not do so in the name of the task', async () => {
    const setup = [
      'echo "{}" > package-lock.json; echo left > left.txt; mkdir -p "a [b]" && echo x > "a [b]/x"; mkdir vendor && echo v > vendor/v',
    ]
    const { workspace, root } = await live(FILES, { setup })
    expect(await workspace.changes()).toEqual([])
    expect(read(workspace.path, 'package-lock.json')).toBe(FILES['package-lock.json'])
    writeFiles(workspace.path, { 'mine.txt': 'mine\n' })
    expect((await workspace.changes()).map((it) => it.path)).toEqual(['mine.txt'])
    const { ref } = await workspace.keepAttempt()
    expect(git(root, 'ls-tree', '-r', '--name-only', ref)).not.toContain('vendor')
  })

  it('are not copied from a folder without git ignoring it, either', async () => {
    const { setup } = counted()
    const { workspace, root } = await live({ 'package.json': '{}' }, { setup })
    expect(await workspace.changes()).toEqual([])
    const { ref } = await workspace.keepAttempt()
    expect(git(root, 'ls-tree', '-r', '--name-only', ref)).toBe('package.json')
  })
})

describe('scratch checkouts', () => {
  it('have what the workspace has, and what they do with it stays with them', async () => {
    const { setup } = counted()
    const { workspace } = await live({ ...FILES, '.worktreeinclude': '.env\n' }, { setup })
    writeFiles(workspace.path, { 'node_modules/added/index.js': 'added\n', 'packages/a/node_modules/b/i.js': 'b\n' })
    const scratch = await workspace.scratch()
    expect(read(scratch.path, 'node_modules/added/index.js')).toBe('added\n')
    expect(read(scratch.path, 'packages/a/node_modules/b/i.js')).toBe('b\n')
    writeFiles(scratch.path, { 'node_modules/x/i.js': 'changed\n' })
    expect(read(workspace.path, 'node_modules/x/i.js')).toBe('installed\n')
    expect(scratch.env).toEqual(workspace.env)
    expect(git(scratch.path, 'status', '--porcelain')).toBe('')
  })

  it('have what the setup makes beside dependencies, made from their own commit, in the workspace and in a clean copy', async () => {
    const setup = ['mkdir -p node_modules/x dist && cp source dist/made && echo changed > tracked']
    const { workspace, project, dataDir } = await live({ ...FILES, source: 'base', tracked: 'as committed' }, { setup })
    writeFiles(workspace.path, { source: 'change' })
    const { commit } = await workspace.checkpoint('Change')
    await workspace.publish()
    const { signal } = new AbortController()
    const clone = await cloneAt({ project, commit, keeping: unkept, change: true, setup, dataDir, signal, timeoutMs: 10_000 })
    expect(read(clone.path, 'dist/made')).toBe('change')
    for (const scratch of [await workspace.scratch(), await clone.scratch(workspace.base)]) {
      expect(read(scratch.path, 'dist/made'), 'the build of the base').toBe('base')
      expect(read(scratch.path, 'tracked'), 'tracked files as in the base').toBe('as committed')
      expect(git(scratch.path, 'status', '--porcelain')).toBe('')
    }
    await clone.dispose()
  })
})

describe('4: a link that a change commits where dependencies belong', () => {
  const files = { ...FILES, '.gitignore': '.venv\n*.local\n', 'api/app.py': '1\n', '.worktreeinclude': '*.local\n' }
  const setup = ['mkdir -p api/.venv; echo installed > api/.venv/x']

  async function linked() {
    const victim = temporaryFolder('reeve-victim-')
    writeFiles(victim, { '.venv/mine': 'mine\n' })
    const root = makeRepository(files)
    writeFiles(root, { 'api/key.local': 'key\n' })
    const { project, dataDir, workspace } = await live({}, { root, setup })
    rmSync(join(workspace.path, 'api'), { recursive: true })
    symlinkSync(victim, join(workspace.path, 'api'))
    const { commit } = await workspace.checkpoint('Link')
    await workspace.publish()
    return { victim, project, dataDir, workspace, commit }
  }

  it('leads the cache of installs nowhere: nothing is removed or written behind it', async () => {
    const { victim, project, dataDir, commit } = await linked()
    const { signal } = new AbortController()
    // Its own setup would write through the link where no sandbox holds it.
    const clone = await cloneAt({ project, commit, keeping: unkept, change: true, setup, dataDir, signal, timeoutMs: 10_000 })
    expect(lstatSync(join(clone.path, 'api')).isSymbolicLink()).toBe(true)
    expect(readdirSync(join(victim, '.venv'))).toEqual(['mine'])
    await clone.dispose()
  })

  it('leads the copies for a scratch checkout nowhere', async () => {
    const { victim, workspace, commit } = await linked()
    rmSync(join(victim, '.venv'), { recursive: true })
    await workspace.restore(workspace.base)
    writeFiles(workspace.path, { 'api/.venv/x': 'planted\n', 'api/key.local': 'key\n' })
    const scratch = await workspace.scratch(commit)
    expect(lstatSync(join(scratch.path, 'api')).isSymbolicLink()).toBe(true)
    expect(readdirSync(victim)).toEqual([])
  })
})

describe('.worktreeinclude', () => {
  it('brings the ignored files that it names, and nothing else', async () => {
    const root = makeRepository({ ...FILES, '.worktreeinclude': '.env\nconfig/*.local\n!.env.secret\nuntracked.txt\n' })
    writeFiles(root, { '.gitignore': `${FILES['.gitignore']}*.local\n` })
    git(root, 'commit', '-qam', 'Ignore')
    writeFiles(root, {
      '.env': 'A=1\n',
      '.env.secret': 'S=1\n',
      'config/x.local': 'x\n',
      'untracked.txt': 'not ignored\n',
      'dist/o': 'o\n',
    })
    const { workspace } = await live({}, { root })
    expect([read(workspace.path, '.env'), read(workspace.path, 'config/x.local')]).toEqual(['A=1\n', 'x\n'])
    for (const path of ['.env.secret', 'untracked.txt', 'dist']) expect(existsSync(join(workspace.path, path)), path).toBe(false)
    expect(await workspace.changes()).toEqual([])
    const scratch = await workspace.scratch()
    expect(read(scratch.path, '.env')).toBe('A=1\n')
  })

  it('of the base counts, not one that a task has changed', async () => {
    const root = makeRepository({ ...FILES, '.worktreeinclude': '.env\n' })
    writeFiles(root, { '.env': 'A=1\n', '.env.secret': 'S=1\n' })
    const { workspace } = await live({}, { root })
    writeFiles(workspace.path, { '.worktreeinclude': '.env*\n' })
    const { commit } = await workspace.checkpoint('chore: more')
    expect(existsSync(join((await workspace.scratch(commit)).path, '.env.secret'))).toBe(false)
  })
})

describe('the cache', () => {
  itNeeds(['python3', '-m', 'venv', '--help'])('moves Python environments: their scripts name the new folder', async () => {
    const root = makeRepository({ 'requirements.txt': '', '.gitignore': '.venv\n' })
    const setup = [
      `python3 -m venv --without-pip .venv && printf '#!%s/.venv/bin/python\\nprint("ran")\\n' "$PWD" > .venv/bin/tool && chmod +x .venv/bin/tool`,
    ]
    const first = await live({}, { root, setup })
    const second = await live({}, { root, dataDir: first.dataDir, runId: 'r2', setup })
    const tool = join(second.workspace.path, '.venv/bin/tool')
    expect(readFileSync(tool, 'utf8')).toContain(`#!${second.workspace.path}/.venv/bin/python`)
    const result = await runProgram({ argv: [tool], cwd: second.workspace.path, env: second.workspace.env, timeoutMs: 20_000 })
    expect(result.stdout).toBe('ran\n')
  })

  it('keeps only the entries used last', async () => {
    const cacheDir = temporaryFolder()
    const tree = temporaryFolder()
    mkdirSync(join(tree, 'node_modules'))
    const { putIntoCache, takeFromCache } = await import('./dependency-cache.ts')
    for (let at = 0; at < 11; at++) {
      await putIntoCache(cacheDir, `key${at}`, tree, { paths: ['node_modules'], complete: true })
      if (at > 0) await takeFromCache(cacheDir, 'key0', temporaryFolder())
    }
    expect(readdirSync(cacheDir)).toHaveLength(8)
    expect(readdirSync(cacheDir)).toContain('key0')
  })
})
