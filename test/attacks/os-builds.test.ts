import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { openProject } from '../../src/workspace/project.ts'
import { createWorkspace } from '../../src/workspace/workspace.ts'
import { writeFiles } from '../support/folder.ts'
import { itNeeds } from '../support/needs.ts'
import { git } from '../support/repository.ts'
import { createOptions, fingerprint } from '../workspace/life.ts'
import { bench } from './bench.ts'
import { listenOn } from './canaries.ts'

const it = itNeeds('bubblewrap')

/** What a package does when somebody installs or builds it. Run in the root of the checkout. */
const attack = (port: number) => `
touch ran
outside=$(cd "$PWD/../../../../../.." && pwd)
for it in pwned .bashrc .config/x; do mkdir -p "$(dirname "$outside/$it")"; echo x >> "$outside/$it"; done
for it in "$outside" ~; do cat $it/.ssh/id_rsa $it/.npmrc >> got; done
curl -sm 2 http://127.0.0.1:${port} >> got; (timeout 2 bash -c 'cat < /dev/tcp/127.0.0.1/${port}') >> got
curl -sm 2 -x "$https_proxy" https://localhost:${port} >> got
for it in config hooks/post-commit; do mkdir -p "$(dirname "$outside/work/project/.git/$it")"; echo x >> "$outside/work/project/.git/$it"; done
echo "gitdir: $PWD/evil" > .git; echo "gitdir: $PWD/evil" > g; mv -f g .git
exit 0
`

const CARGO = { RUSTUP_HOME: process.env['RUSTUP_HOME'] ?? join(homedir(), '.rustup') }

interface Way {
  name: string
  needs: (string | [string, ...string[]])[]
  files: Readonly<Record<string, string>>
  /** As setup commands, with a way to registries, or as a command of the run. */
  by: 'setup' | 'command'
  line: string
  env?: Readonly<Record<string, string>>
}

const WAYS: readonly Way[] = [
  {
    name: 'a postinstall script of a package',
    needs: ['npm'],
    files: { 'package.json': '{"name":"x","version":"1.0.0","scripts":{"postinstall":"sh ./attack.sh"}}' },
    by: 'setup',
    line: 'npm install --offline --no-audit',
  },
  {
    name: 'a prepare script of a package',
    needs: ['npm'],
    files: { 'package.json': '{"name":"x","version":"1.0.0","scripts":{"prepare":"sh ./attack.sh"}}' },
    by: 'setup',
    line: 'npm install --offline --no-audit',
  },
  {
    name: 'setup.py',
    needs: ['python3'],
    files: { 'setup.py': 'import subprocess\nsubprocess.call(["sh", "./attack.sh"])\n' },
    by: 'setup',
    line: 'python3 setup.py build',
  },
  {
    name: 'build.rs',
    needs: ['cargo'],
    files: {
      'Cargo.toml': '[package]\nname = "x"\nversion = "0.1.0"\nedition = "2021"\n[lib]\npath = "x.rs"\n',
      'x.rs': '',
      'build.rs': 'fn main() { std::process::Command::new("sh").arg("./attack.sh").status().unwrap(); }\n',
    },
    by: 'command',
    line: 'cargo build --offline',
    env: CARGO,
  },
  {
    name: 'execute_process of CMake',
    needs: ['cmake'],
    files: {
      'CMakeLists.txt':
        'cmake_minimum_required(VERSION 3.10)\nproject(x NONE)\nexecute_process(COMMAND sh ./attack.sh WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")\n',
    },
    by: 'command',
    line: 'cmake -B build',
  },
]

describe('code that runs while packages are installed and built', () => {
  for (const way of WAYS) {
    itNeeds('bubblewrap', ...way.needs)(`35: has no network, no home and no git: ${way.name}`, async () => {
      const canary = await listenOn({ host: '127.0.0.1', port: 0 })
      const { home, project, workspace, shell } = await bench({
        files: { ...way.files, 'attack.sh': attack(canary.port), '.gitignore': 'ran\ngot\nbuild\ntarget\nevil\n' },
        setup: way.by === 'setup' ? [way.line] : [],
        settings: { install_scripts: true },
        env: () => way.env ?? {},
      })
      if (way.by === 'command') await shell(way.line)
      expect(existsSync(join(workspace.path, 'ran')), 'it ran').toBe(true)
      expect(readFileSync(join(workspace.path, 'got'), 'utf8')).toBe('')
      expect(canary.heard).toEqual([])
      expect(readFileSync(join(home, '.bashrc'), 'utf8')).toBe('# mine\n')
      expect(readdirSync(home)).not.toContain('pwned')
      expect(readdirSync(join(project.gitDir, 'hooks'))).not.toContain('post-commit')
      expect(readFileSync(join(workspace.path, '.git'), 'utf8')).toContain(`gitdir: ${join(project.gitDir, 'worktrees')}/`)
    })
  }

  itNeeds('bubblewrap', 'npm')('35: does not run at all while packages are installed, unless it was asked for', async () => {
    const script = '{"name":"x","version":"1.0.0","scripts":{"postinstall":"touch ran"}}'
    const { workspace } = await bench({ files: { 'package.json': script }, setup: ['npm install --offline --no-audit'] })
    expect(existsSync(join(workspace.path, 'package-lock.json')), 'npm did its work').toBe(true)
    expect(existsSync(join(workspace.path, 'ran'))).toBe(false)
  })
})

/** A setup that downloads into the cache and installs from it, as package managers do, and builds something by a file of the project. */
const SETUP = [
  'mkdir -p node_modules; for it in $npm_config_cache; do mkdir -p $it; [ -e $it/x ] || echo good > $it/x; cp $it/x node_modules/x; done',
  'sh ./build.sh',
]
const FILES = { 'build.sh': 'mkdir -p dist; touch dist/made\n', '.gitignore': 'node_modules\ndist\n' }

describe('what runs of a project share', () => {
  it('37: is not written by the commands of a run: packages and installs', async () => {
    const { dataDir, workspace, shell } = await bench({ files: FILES, setup: SETUP })
    expect(readFileSync(join(workspace.path, 'node_modules/x'), 'utf8')).toBe('good\n')
    const cache = join(dataDir, 'cache')
    const before = fingerprint(cache)
    expect(
      Object.keys(before).filter((it) => it.endsWith('/x')),
      'packages and the install',
    ).toHaveLength(2)
    await shell(`echo evil > node_modules/x; echo evil > $npm_config_cache/x; find ${cache} -type f -exec sh -c 'echo evil > "$0"' {} \\;`)
    expect(readFileSync(join(workspace.path, 'node_modules/x'), 'utf8'), 'its own copy it may write').toBe('evil\n')
    expect(fingerprint(cache)).toEqual(before)
  })

  it('37: is not written by what a change does while its setup runs', async () => {
    const { dataDir, workspace } = await bench({ files: FILES, setup: SETUP })
    const cache = join(dataDir, 'cache')
    const before = fingerprint(cache)
    writeFiles(workspace.path, {
      'build.sh': 'mkdir -p dist; echo evil > $npm_config_cache/x; echo evil > $npm_config_cache/y; touch dist/evil\n',
    })
    const { commit } = await workspace.checkpoint('feat: evil')
    const scratch = await workspace.scratch(commit)
    expect(existsSync(join(scratch.path, 'dist/evil')), "the change's setup ran").toBe(true)
    await scratch.dispose()
    expect(fingerprint(cache)).toEqual(before)
  })

  it('37: is not what a run of another project uses', async () => {
    const { home, project, keeping, dataDir, shell } = await bench({ files: FILES, setup: SETUP })
    const root = join(home, 'work/other')
    git(home, 'clone', '-q', project.root, root)
    const setup = ['touch node_modules', 'echo $npm_config_cache > packages.txt; ls -A $npm_config_cache > seen.txt 2>&1; true']
    const other = await createWorkspace(createOptions(await openProject(root), { dataDir, keeping, runId: 'r3', setup }))
    const { stdout } = await shell('echo $npm_config_cache')
    expect(readFileSync(join(other.path, 'packages.txt'), 'utf8')).not.toBe(stdout)
    expect(readFileSync(join(other.path, 'seen.txt'), 'utf8'), 'nothing is there yet').toMatch(/^$|No such file/)
  })
})
