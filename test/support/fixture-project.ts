import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { temporaryFolder, writeFiles } from './folder.ts'
import { git } from './repository.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures/projects')
const PACKAGES = join(import.meta.dirname, '../../node_modules')

export type FixtureName = 'node-test' | 'typescript-vitest' | 'python-pytest' | 'cpp-cmake' | 'make-plain'

/** One reply of the scripted provider, as in its YAML file. */
export type Reply = Record<string, unknown>
export type Call = { tool: string; input: Record<string, unknown> }

interface ProjectOptions {
  replies?: readonly Reply[]
  /** Written over the fixture before the first commit. */
  files?: Readonly<Record<string, string>>
  /** More lines for reeve.toml. */
  config?: string
  /** Measure coverage. Off unless asked for: it runs the tests once more, and builds C++ once more. */
  coverage?: boolean
  /** Lines for the scripted provider's table. */
  provider?: string
  /** Where the fixture goes below the repository's root, for monorepos. */
  folder?: string
  /** Name of the repository's folder. */
  name?: string
  /** Folder that gets the repository and its replies; one of its own, removed with the test, when absent. */
  outside?: string
}

/**
 * A fixture project as a user's repository with one commit, and reeve.toml with a scripted provider `script` whose replies lie outside the
 * repository. What the fixture's own tools need (vitest, the TypeScript compiler) is linked from this repository, so no network is used.
 */
export function fixtureProject(fixture: FixtureName, options: ProjectOptions = {}): string {
  const outside = options.outside ?? temporaryFolder('reeve-project-')
  const root = join(outside, options.name ?? fixture)
  const place = join(root, options.folder ?? '.')
  mkdirSync(root, { recursive: true })
  cpSync(join(FIXTURES, fixture), place, { recursive: true })
  writeReplies(root, options.replies ?? [{ text: 'Done.' }])
  writeFiles(root, { 'reeve.toml': settings(repliesFile(root), options), ...options.files })
  git(root, 'init', '-q', '-b', 'main')
  git(root, 'add', '-A')
  git(root, 'commit', '-q', '-m', 'First commit')
  if (fixture === 'typescript-vitest') linkPackages(place)
  return root
}

function repliesFile(root: string): string {
  return join(dirname(root), 'replies.yaml')
}

/** Replaces the scripted replies of a project. */
export function writeReplies(root: string, replies: readonly Reply[]): void {
  writeFileSync(repliesFile(root), stringify({ replies }))
}

function settings(replies: string, options: ProjectOptions): string {
  return [
    options.config ?? '',
    ...(options.coverage ? [] : ['[gates.coverage]', 'enabled = false']),
    '[providers]',
    'order = ["script"]',
    '[providers.script]',
    'kind = "scripted"',
    `file = ${JSON.stringify(replies)}`,
    options.provider ?? '',
  ].join('\n')
}

function linkPackages(folder: string): void {
  const modules = join(folder, 'node_modules')
  for (const folder of ['.bin', '@vitest']) mkdirSync(join(modules, folder), { recursive: true })
  for (const name of ['vitest', '@vitest/coverage-v8', 'typescript']) symlinkSync(join(PACKAGES, name), join(modules, name))
  symlinkSync('../vitest/vitest.mjs', join(modules, '.bin/vitest'))
  symlinkSync('../typescript/bin/tsc', join(modules, '.bin/tsc'))
}

export function write(path: string, content: string): Call {
  return { tool: 'write_file', input: { path, content } }
}

export function edit(path: string, old: string, replacement: string): Call {
  return { tool: 'edit_file', input: { path, old, new: replacement } }
}

export function shell(command: string): Call {
  return { tool: 'run_command', input: { command } }
}

/** Turns of an agent that makes these calls, one turn each, and then says it is done. */
export function acts(...calls: Call[]): Record<string, unknown>[] {
  return [...calls.map((it) => ({ calls: [it] })), { text: 'It is done and all tests pass.' }]
}
