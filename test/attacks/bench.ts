import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { settingsSchema } from '../../src/core/settings.ts'
import type { ProgramResult } from '../../src/process/port.ts'
import { runProgram } from '../../src/process/run-program.ts'
import { createSandbox } from '../../src/sandbox/create.ts'
import type { Keeping } from '../../src/workspace/held.ts'
import type { Project, Workspace } from '../../src/workspace/port.ts'
import { openProject } from '../../src/workspace/project.ts'
import { createWorkspace } from '../../src/workspace/workspace.ts'
import { writeFiles } from '../support/folder.ts'
import { git } from '../support/repository.ts'
import { createOptions } from '../workspace/life.ts'

/** A machine with a user's home, a project and a run on it, to be attacked from the run. */
export interface Bench {
  /** The user's home, with secrets. */
  home: string
  project: Project
  dataDir: string
  keeping: Keeping
  workspace: Workspace
  /** Another run's workspace on the same project. */
  sibling: Workspace
  /** Runs a command line as an agent of the run does. `env`: what the command sets for itself, as a script of the project may. */
  shell: (line: string, env?: Readonly<Record<string, string>>) => Promise<ProgramResult>
  /** The same for Python: system calls by number, sockets of any family. */
  python: (code: string) => Promise<ProgramResult>
}

export interface BenchOptions {
  files?: Readonly<Record<string, string>>
  setup?: readonly string[]
  /** Of `[sandbox]`. */
  settings?: Record<string, unknown>
  /** Besides this process's environment. */
  env?: (home: string) => Readonly<Record<string, string>>
}

/** A word that stands for every secret: wherever it shows up inside, something leaked. */
export const SECRET = 'canary-5e1f0c9a'

const HOME_FILES = {
  '.bashrc': '# mine\n',
  '.ssh/id_rsa': SECRET,
  '.aws/credentials': SECRET,
  '.config/gh/hosts.yml': SECRET,
  '.netrc': SECRET,
  '.npmrc': SECRET,
  '.git-credentials': SECRET,
  '.docker/config.json': SECRET,
  '.cargo/credentials.toml': SECRET,
  '.cargo/bin/tool': '#!/bin/sh\n',
  '.local/share/keyrings/login.keyring': SECRET,
  '.bash_history': SECRET,
}

/**
 * Builds one below /var/tmp, not /tmp: of that a sandbox has its own, so that what lies there would be hidden whatever else is shown.
 * It goes with the test.
 */
export async function bench({ files = {}, setup = [], settings = {}, env = () => ({}) }: BenchOptions = {}): Promise<Bench> {
  const folder = realpathSync(mkdtempSync('/var/tmp/reeve-attack-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const [home, root, dataDir] = [join(folder, 'home'), join(folder, 'home/work/project'), join(folder, 'home/.local/share/reeve')]
  for (const it of [home, root, dataDir]) mkdirSync(it, { recursive: true, mode: 0o700 })
  writeFiles(home, HOME_FILES)
  git(root, 'init', '-q', '-b', 'main')
  writeFiles(root, { 'f.txt': 'one\n', ...files })
  git(root, 'add', '-A')
  git(root, 'commit', '-q', '-m', 'First commit')
  const { signal } = new AbortController()
  const sandbox = await createSandbox({
    settings: settingsSchema.parse({ sandbox: { level: 'os-sandbox', ...settings } }).sandbox,
    folder: join(folder, 'home/.cache/reeve/sandbox'),
    env: { ...process.env, HOME: home, ...env(home) },
    realHome: home,
    signal,
  })
  onTestFinished(() => sandbox.close())
  if (sandbox.report.level !== 'os-sandbox') throw new Error(`no sandbox: ${sandbox.report.reason}`)
  const project = await openProject(root)
  const keeping = { sandbox, registries: () => Promise.resolve({ hosts: [], files: [], readable: [] }) }
  const sibling = await createWorkspace(createOptions(project, { dataDir, keeping, runId: 'r2' }))
  const workspace = await createWorkspace(createOptions(project, { dataDir, keeping, runId: 'r1', setup }))
  const run = (argv: [string, ...string[]], more: Readonly<Record<string, string>> = {}) =>
    runProgram({
      argv,
      cwd: workspace.path,
      env: { ...(workspace.agentEnv ?? workspace.env), ...more },
      timeoutMs: 30_000,
      run: workspace.runId,
      ...(workspace.agentConfinement === undefined ? {} : { confinement: workspace.agentConfinement }),
    })
  return {
    home,
    project,
    dataDir,
    keeping,
    workspace,
    sibling,
    shell: (line, more) => run(['/bin/bash', '-c', line], more),
    python: (code) => run(['python3', '-c', code]),
  }
}
