import { lstatSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect } from 'vitest'
import { runProgram } from '../../src/process/run-program.ts'
import { openWorkspace } from '../../src/workspace/workspace.ts'
import { writeFiles } from '../support/folder.ts'
import { itNeeds } from '../support/needs.ts'
import { fingerprint } from '../workspace/life.ts'
import { bench, SECRET } from './bench.ts'

const it = itNeeds('bubblewrap')

describe('files outside the workspace', () => {
  it('1: are not written by a command, neither in the home of the user nor beside the run', async () => {
    const { home, project, dataDir, sibling, shell } = await bench()
    const files = [
      `${home}/pwned`,
      `${home}/.bashrc`,
      `${project.root}/f.txt`,
      `${dataDir}/pwned`,
      `${sibling.path}/f.txt`,
      '/usr/pwned',
      '/etc/pwned',
    ]
    const before = fingerprint(home)
    await shell(files.map((it) => `mkdir -p "$(dirname ${it})"; echo x >> ${it}`).join('\n'))
    expect(changes(before, fingerprint(home))).toEqual([])
    const { stdout } = await shell('echo x > $HOME/own; cat $HOME/own; echo x > here && cat here')
    expect(stdout, 'its own home and its own files it may write').toBe('x\nx\n')
  })

  it('1: are not written by an agent that may write nothing, nor is the workspace itself', async () => {
    const { workspace, home } = await bench()
    const held = workspace.holdAgent!({ name: 'reader', hosts: [], secrets: {}, readOnly: true })
    const before = fingerprint(workspace.path)
    const script = `echo x > f.txt; echo x > new.txt; rm f.txt; echo x > ${home}/pwned; echo own > $HOME/own; cat $HOME/own f.txt`
    const { confinement, env } = held
    const result = await runProgram({ argv: ['/bin/sh', '-c', script], cwd: workspace.path, env, confinement, timeoutMs: 20_000 })
    expect(result.stdout, 'its own home it may write').toMatch(/^own\n/)
    expect(changes(before, fingerprint(workspace.path))).toEqual([])
  })

  it('2: are not read, nor made, where a program that is an agent would start what it finds there', async () => {
    const { workspace } = await bench()
    writeFiles(workspace.path, { '.tool/plugin/x.js': SECRET, 'tool.json': SECRET, 'real/hooks/x': SECRET, 'f/other': 'shown' })
    symlinkSync('real/hooks', join(workspace.path, 'hooks'))
    const hidden = ['.tool', 'tool.json', 'hooks', 'none']
    const { confinement, env } = workspace.holdAgent!({ name: 'a', hosts: [], secrets: {}, hidden })
    const before = fingerprint(workspace.path)
    const script = `grep -rs ${SECRET} .; ls -A .tool real/hooks; cat tool.json f/other; mkdir .tool/plugin; echo x > .tool/x; echo x > tool.json; rm -rf .tool; echo x > hooks/y`
    const result = await runProgram({ argv: ['/bin/sh', '-c', script], cwd: workspace.path, env, confinement, timeoutMs: 20_000 })
    expect(result.stdout).toBe('.tool:\n\nreal/hooks:\nshown')
    expect(changes(before, fingerprint(workspace.path))).toEqual([])
  })

  it('2: are not read: keys, tokens and histories of the user', async () => {
    const { home, shell } = await bench({ env: (home) => ({ PATH: `${home}/.cargo/bin:${process.env['PATH']}` }) })
    const { stdout } = await shell(`grep -rs ${SECRET} ${home} $HOME; find ${home} -maxdepth 1 -name '.[a-z]*'; cat ~/.ssh/id_rsa`)
    expect(stdout.split('\n').toSorted()).toEqual(['', `${home}/.cargo`, `${home}/.local`])
  })

  it('2: are not shown with a toolchain that lies among them', async () => {
    const { home, shell } = await bench({
      env: (home) => {
        // As `pip install --user` and a hand-made ~/lib have it: the prefix of this `bin` is the home itself.
        writeFiles(home, {
          'bin/tool': '#!/bin/sh\n',
          'lib/x': '',
          '.gem/credentials': SECRET,
          '.local/share/uv/credentials/credentials.toml': SECRET,
        })
        return { PATH: `${home}/bin:${process.env['PATH']}`, GEM_HOME: `${home}/.gem` }
      },
    })
    const { stdout } = await shell(`cat ${home}/bin/tool; grep -rs ${SECRET} ${home}`)
    expect(stdout).toBe('#!/bin/sh\n')
  })

  it('2: are not shown by a link at a place that the search path of a command names', async () => {
    const { home, workspace, shell } = await bench({ env: (home) => ({ GEM_HOME: `${home}/.gem` }) })
    await shell(`mkdir node_modules; ln -s ${home}/.ssh node_modules/.bin; ln -s ${home}/.aws .venv`)
    const env = { PATH: `${workspace.path}/node_modules/.bin:${workspace.path}/.venv:${workspace.agentEnv?.['PATH']}` }
    const { stdout } = await shell(`cat ${home}/.ssh/id_rsa ${home}/.aws/credentials; echo looked`, env)
    expect(stdout).toBe('looked\n')
  })

  it('1: are not written by a library that a command has the loader take, on its way into the sandbox', async () => {
    const { home, workspace, shell } = await bench()
    const code = `#include <stdio.h>
__attribute__((constructor)) static void f(void) { FILE *o = fopen("${home}/pwned", "a"); if (o) fclose(o); puts("loaded"); }`
    writeFiles(workspace.path, { 'x.c': code })
    const made = await shell('cc -shared -fPIC -o x.so x.c')
    expect(made.exitCode, made.stderr).toBe(0)
    const before = fingerprint(home)
    const { stdout } = await shell('true', { LD_PRELOAD: join(workspace.path, 'x.so') })
    expect(stdout, 'inside it is the command itself that asks for it').toContain('loaded')
    expect(changes(before, fingerprint(home))).toEqual([])
  })

  it('34: are not what a command fails by: a folder that it has closed to itself is no failure of the sandbox', async () => {
    const { workspace } = await bench({ files: { 'web/f.txt': '' } })
    const { agentEnv: env = {}, agentConfinement: confinement } = workspace
    const web = join(workspace.path, 'web')
    rmSync(web, { recursive: true })
    const result = await runProgram({ argv: ['true'], cwd: web, env, timeoutMs: 20_000, ...(confinement ? { confinement } : {}) })
    expect(result).toMatchObject({ ended: 'exited', exitCode: 126 })
  })

  it('3: are not read: the workspace of another run, the checkout, another repository', async () => {
    const { home, project, dataDir, workspace, sibling, shell } = await bench()
    const other = join(home, 'work/other')
    for (const it of [project.root, sibling.path, join(dataDir, 'runs'), other]) writeFiles(it, { 'canary.txt': SECRET })
    const { stdout } = await shell(`grep -rs ${SECRET} ${dirname(home)}; ls ${dirname(dirname(workspace.path))} ${dataDir} ${home}/work`)
    expect(stdout).not.toContain(SECRET)
    expect(stdout).not.toContain('r2')
    expect(stdout).not.toContain('other')
  })

  it('4: are not written through a link that a command makes', async () => {
    const { home, workspace, shell } = await bench()
    const before = fingerprint(home)
    await shell(
      `ln -s ${home} d; echo x > d/pwned; echo x >> d/.bashrc; ln ${home}/.bashrc hard && echo x >> hard; ln -s ${home}/.ssh/id_rsa f; cat f > got`,
    )
    expect(changes(before, fingerprint(home))).toEqual([])
    expect(readFileSync(join(workspace.path, 'got'), 'utf8')).toBe('')
  })
})

describe('what a command leaves behind', () => {
  it('4: is no way out for reeve itself, which works in the same folders: its home', async () => {
    const { home, project, dataDir, keeping, shell } = await bench()
    const before = fingerprint(home)
    await shell(`cd; rm -rf .gitconfig tmp; ln -s ${home}/.planted .gitconfig; ln -s ${home}/.planted-folder tmp`)
    await openWorkspace({ project, runId: 'r1', dataDir, keeping }).catch(() => undefined)
    await shell('true').catch(() => undefined)
    expect(changes(before, fingerprint(home))).toEqual([])
  })

  it('4: is no way out for reeve itself, which works in the same folders: a Python environment', async () => {
    const { home, workspace, shell } = await bench({
      files: { '.gitignore': '.venv\n' },
      setup: ['mkdir -p .venv/lib/p/site-packages .venv/bin; echo home = x > .venv/pyvenv.cfg'],
    })
    // Files of the user that happen to name the folder of the run.
    writeFiles(home, { 'bin/start': `cd ${workspace.path}\n`, 'lib/a.pth': `${workspace.path}\n`, 'settings.cfg': `${workspace.path}\n` })
    const before = fingerprint(home)
    await shell(`
      cd .venv; rm -rf bin lib/p/site-packages; ln -s ${home}/bin bin; ln -s ${home}/lib lib/p/site-packages; ln -sf ${home}/settings.cfg pyvenv.cfg`)
    const scratch = await workspace.scratch()
    await scratch.dispose()
    await shell(
      `cd .venv; rm -f pyvenv.cfg bin lib/p/site-packages; mkdir bin; echo home > pyvenv.cfg; ln -s ${home}/bin bin/x; ln -s ${home}/lib lib/p/site-packages`,
    )
    await (await workspace.scratch()).dispose()
    expect(changes(before, fingerprint(home))).toEqual([])
  })
})

describe('git metadata', () => {
  it('12: cannot be written by a command: the .git file of the worktree', async () => {
    const { workspace, shell } = await bench()
    const file = join(workspace.path, '.git')
    const state = () => ({ inode: lstatSync(file).ino, text: lstatSync(file).isFile() && readFileSync(file, 'utf8') })
    const before = state()
    await shell('echo "gitdir: $PWD/evil" > .git; echo "gitdir: $PWD/evil" > g; mv -f g .git; rm -rf .git; mkdir .git; chmod 777 .git')
    expect(state()).toEqual(before)
  })

  it("12: cannot be written by a command: the run's private git directory", async () => {
    const { dataDir, workspace, shell } = await bench()
    const { stdout } = await shell('git rev-parse --git-dir HEAD; git status --porcelain; git log --oneline | wc -l')
    expect(stdout, 'it can be read').toContain(workspace.base)
    const git = join(dataDir, 'runs/r1/git')
    const before = fingerprint(git)
    await shell(
      `cd ${git}; echo x >> config; echo x > config.worktree; echo x > commondir; mkdir -p hooks; echo x > hooks/post-commit; echo x >> HEAD
       git config core.fsmonitor /bin/true; git -C ${workspace.path} commit --allow-empty -qm mine; git update-ref refs/heads/evil HEAD`,
    )
    expect(changes(before, fingerprint(git))).toEqual([])
  })

  it("12: cannot be written by a command: the user's repository, whose objects it may read", async () => {
    const { project, shell } = await bench()
    const before = fingerprint(project.root)
    const { stdout } = await shell(`cat ${project.gitDir}/config; ls ${project.gitDir}`)
    expect(stdout).not.toContain('[core]')
    await shell(
      `cd ${project.gitDir} && for it in config hooks/post-commit info/attributes objects/info/alternates objects/evil; do mkdir -p "$(dirname $it)"; echo x >> $it; done`,
    )
    expect(changes(before, fingerprint(project.root))).toEqual([])
    expect(() => lstatSync(join(project.gitDir, 'objects/evil'))).toThrow('ENOENT')
  })
})

/** The run's own files: it may write them, and reeve writes beside them what a sandbox shows. */
const OWN = /\/runs\/r1\/(?:tree|agent-home|git\.link|owner|scratch)(?:\/|$)/

/** Paths that are not as they were. */
function changes(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string[] {
  const paths = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...paths].filter((it) => before[it] !== after[it] && !OWN.test(it))
}
