import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { atLeast } from '../core/isolation.ts'
import type { Confinement } from '../process/port.ts'
import type { Decision } from '../sandbox/network/decision.ts'
import type { SafeFile } from '../sandbox/network/registries/sanitized-config.ts'
import type { Place, Profile, Sandbox, WayOut } from '../sandbox/port.ts'
import { copyTree } from './copy-tree.ts'
import { isFolder } from './folders.ts'
import { deleteFileIn, writeFileIn } from './paths.ts'
import type { AgentWay, HeldAgent, Project } from './port.ts'
import type { RunFolders } from './record.ts'
import type { Registries } from './registries.ts'

/** How programs are held, and what setup commands may reach. */
export interface Keeping {
  sandbox: Sandbox
  /** Package registries of the project as its base names them. Asked only when something is installed. */
  registries(): Promise<Registries>
  /** Told what setup commands reached, and what they were refused. */
  decided?: WayOut['decided']
}

/** How one program is started. */
export interface Held {
  env: Readonly<Record<string, string>>
  confinement: Confinement
}

/** Gives the checkouts of one run, or of one clone, the confinement of their programs. */
export interface Holder {
  /** Tests, builds, an agent's commands. `git`: the private git dir that a worktree's `.git` file is shown to lead to. */
  run(tree: string, options?: { home?: string; git?: string }): Held
  /** Setup commands. `refused`: what they asked for on the network and did not get, a sentence each. */
  install(tree: string, options?: { git?: string }): Promise<Held & { refused: readonly string[] }>
  /** A program that is an agent itself. */
  agent(tree: string, way: AgentWay, options?: { git?: string }): HeldAgent
  /** The same for files that a change has written: what it downloads is kept from other runs. */
  ofChange(): Promise<Holder>
}

export interface HolderOptions {
  keeping: Keeping
  project: Pick<Project, 'root' | 'gitDir'>
  folders: Pick<RunFolders, 'root' | 'home' | 'git'>
  dataDir: string
  run: string | undefined
  /** The setup commands of the project: with them what they download is kept for the project. */
  setup: readonly string[]
  /**
   * What is installed is named by the base, not by a change: only then it may write what other runs of the project use. A change downloads into
   * a folder of its own, which begins as a copy.
   */
  trusted: boolean
}

export async function createHolder(options: HolderOptions): Promise<Holder> {
  const { keeping, project, folders, run, setup } = options
  const { sandbox } = keeping
  const isolated = atLeast(sandbox.report.level, 'os-sandbox')
  const shared = join(options.dataDir, 'cache', 'packages', createHash('sha256').update(project.root).digest('hex').slice(0, 16))
  const packages = options.trusted ? shared : join(folders.root, 'packages')
  const readable = [folders.git, ...(await objectFolders(join(project.gitDir, 'objects')))]
  const placeOf = (tree: string, home: string): Place => ({
    tree,
    home,
    readable,
    ...(isolated && setup.length > 0 ? { packages } : {}),
    ...(run === undefined ? {} : { run }),
  })
  const held = (place: Place, profile: Profile): Held => ({
    env: sandbox.env(place, profile),
    confinement: sandbox.confine(place, profile),
  })
  if (isolated && setup.length > 0) await preparePackages(packages, shared)
  return {
    run: (tree, { home = folders.home, git } = {}) =>
      held({ ...placeOf(tree, home), ...(git === undefined ? {} : { git }) }, { kind: 'run' }),
    async install(tree, { git } = {}) {
      const place = { ...placeOf(tree, folders.home), ...(git === undefined ? {} : { git }) }
      const refused: string[] = []
      if (!isolated) return { ...held(place, { kind: 'install', hosts: [] }), refused }
      const { hosts, files, readable: more } = await keeping.registries()
      const decided = (decision: Decision) => {
        if (decision.outcome !== 'allowed') refused.push(decision.sentence)
        keeping.decided?.(decision)
      }
      const installing = held({ ...place, readable: [...readable, ...more] }, { kind: 'install', hosts, decided })
      for (const it of files) await configure(place, installing.env, it)
      return { ...installing, refused }
    },
    agent(tree, { name, secrets, readable: more = [], writable, readOnly, hidden, ...out }, { git } = {}) {
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw new ReeveError('invalid_input', { problem: `"${name}" is no name of a home.` })
      const home = join(folders.root, 'agents', name)
      const place: Place = {
        ...placeOf(tree, home),
        readable: [...readable, ...more],
        ...(writable === undefined ? {} : { writable }),
        ...(readOnly === undefined ? {} : { readOnly }),
        ...(hidden === undefined ? {} : { hidden: hidden.map((it) => join(tree, it)) }),
        ...(git === undefined ? {} : { git }),
      }
      return { home, ...held(place, { kind: 'agent', secrets, ...out }) }
    },
    ofChange: () => createHolder({ ...options, trusted: false }),
  }
}

/** Programs have been at work in these folders: whatever lies at the place of the file is replaced, and no link is followed. */
async function configure({ home, packages }: Place, env: Held['env'], { path, variable, text }: SafeFile): Promise<void> {
  const place = variable === undefined ? undefined : env[variable]
  const within = place !== undefined && packages !== undefined && place.startsWith(`${packages}/`)
  const [root, file] = within ? [packages, join(relative(packages, place), path)] : [home, path]
  // What belongs below a folder of the user's own is there already.
  if (variable !== undefined && !within) return
  await deleteFileIn(root, file, { missing: 'ok' })
  await writeFileIn(root, file, text)
}

async function preparePackages(packages: string, shared: string): Promise<void> {
  await mkdir(shared, { recursive: true, mode: 0o700 })
  if (packages !== shared && !(await isFolder(packages))) await copyTree(shared, packages)
}

/** A folder of git objects with those it borrows from: without them a repository that was cloned with `--shared` reads as broken. */
async function objectFolders(folder: string): Promise<string[]> {
  const found = new Set<string>()
  const waiting = [folder]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (found.has(at)) continue
    found.add(at)
    const borrowed = await readFile(join(at, 'info/alternates'), 'utf8').catch(() => '')
    for (const line of borrowed.split('\n')) if (line !== '' && !line.startsWith('#')) waiting.push(resolve(at, line))
  }
  return [...found]
}
