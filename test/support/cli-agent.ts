import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createCliAgent } from '../../src/agents/cli/agent.ts'
import type { CliDeps } from '../../src/agents/cli/deps.ts'
import type { CliAdapter, CliEvent, CliRequest } from '../../src/agents/cli/port.ts'
import type { Agent, AgentEvent, AgentRequest, AgentResult } from '../../src/agents/port.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Json } from '../../src/core/json.ts'
import { NO_REDACTION } from '../../src/core/redact.ts'
import { settingsSchema } from '../../src/core/settings.ts'
import type { Confinement } from '../../src/process/port.ts'
import { runProgram } from '../../src/process/run-program.ts'
import { unconfined } from '../../src/process/unconfined.ts'
import type { AgentWay, Workspace } from '../../src/workspace/port.ts'
import { makeRole } from './agent.ts'
import { temporaryFolder, writeFiles } from './folder.ts'
import { providerSettings } from './provider.ts'

/** A workspace without git, as far as a program that is an agent needs one: snapshots are kept in memory. */
export interface PlainWorkspace {
  workspace: Workspace
  /** What it was asked to hold. */
  ways: AgentWay[]
  home: string
  files(): Record<string, string>
}

export function plainWorkspace(files: Readonly<Record<string, string>>, confinement: Confinement = unconfined): PlainWorkspace {
  const root = temporaryFolder()
  const [path, home] = [join(root, 'tree'), join(root, 'home')]
  mkdirSync(path)
  mkdirSync(home)
  writeFiles(path, files)
  const now = (): Record<string, string> =>
    Object.fromEntries(
      readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((it) => it.isFile())
        .map((it) => join(it.parentPath, it.name))
        .map((it) => [it.slice(path.length + 1), readFileSync(it, 'utf8')]),
    )
  const hash = (of: Record<string, string>) =>
    createHash('sha256')
      .update(
        JSON.stringify(
          Object.keys(of)
            .toSorted()
            .map((name) => [name, of[name]]),
        ),
      )
      .digest('hex')
  const snapshots = new Map<string, Record<string, string>>()
  const ways: AgentWay[] = []
  const it = {
    path,
    targetDir: '.',
    checkpoint: async () => {
      const tree = hash(now())
      snapshots.set(tree, now())
      return { commit: tree, tree, changed: false, files: 0 }
    },
    treeHash: async () => hash(now()),
    changes: async (from: string) => {
      const [before, after] = [snapshots.get(from) ?? {}, now()]
      return [...new Set([...Object.keys(before), ...Object.keys(after)])]
        .filter((name) => before[name] !== after[name])
        .map((name) => ({ path: name, status: 'modified' as const, opaque: false, added: 1, removed: 0 }))
    },
    keepAttempt: async () => ({ ref: 'refs/reeve/attempts/r-test/1', commit: 'c', number: 1 }),
    putBack: async (commit: string, paths: readonly string[]) => {
      for (const name of paths) {
        const old = snapshots.get(commit)?.[name]
        if (old === undefined) rmSync(join(path, name))
        else writeFileSync(join(path, name), old)
      }
    },
    holdAgent: (way: AgentWay) => {
      ways.push(way)
      return { home, env: { PATH: process.env['PATH'] ?? '', HOME: home, ...way.secrets }, confinement }
    },
  }
  return { workspace: it as unknown as Workspace, ways, home, files: now }
}

/** An adapter whose program says `CliEvent`s, one per line. `asked`: what it was asked to start. */
export function plainAdapter(over: Partial<CliAdapter> = {}): CliAdapter & { asked: CliRequest[] } {
  const asked: CliRequest[] = []
  return {
    kind: 'command',
    binary: 'fake',
    tested: null,
    experimental: false,
    api: { baseUrl: 'http://127.0.0.1:9', dialect: 'anthropic', keyVariables: ['FAKE_KEY'] },
    login: { paths: ['.fake/login.json'], hosts: ['fake.example'] },
    session: 'ours',
    acp: null,
    command: (request) => {
      asked.push(request)
      const secrets = request.endpoint === null ? {} : { THE_KEY: request.endpoint.key }
      return {
        args: request.resume ? ['resume', request.session] : ['new', request.session],
        input: request.prompt,
        env: {},
        files: [],
        secrets,
      }
    },
    reader: () => ({
      line: (text, stream) => (stream === 'stdout' && text.startsWith('{') ? [JSON.parse(text) as CliEvent] : []),
      exited: () => [],
    }),
    ...over,
    asked,
  }
}

/** Lines of a shell script that say these events. */
export function say(...events: (CliEvent | { [key: string]: Json })[]): string {
  return events.map((it) => `printf '%s\\n' '${JSON.stringify(it).replaceAll("'", String.raw`'\''`)}'`).join('\n')
}

/** A program that is a shell script, in a folder of its own. */
export function scriptProgram(script: string, interpreter = '/bin/sh'): string {
  const path = join(temporaryFolder(), 'bin', 'fake')
  mkdirSync(dirname(path))
  writeFileSync(path, `#!${interpreter}\n${script}\n`, { mode: 0o755 })
  return path
}

export type CliOver = Partial<Omit<AgentRequest, 'limits'>> & { limits?: Partial<AgentRequest['limits']> }

/** What an agent's parts are made of, for a script. */
export function cliDeps(script: string, over: Partial<Omit<CliDeps, 'settings'>> & { settings?: { [key: string]: Json } } = {}): CliDeps {
  const { settings, ...rest } = over
  return {
    name: 'fake',
    settings: providerSettings({ kind: 'command', ...settings }),
    adapter: plainAdapter(),
    program: { path: scriptProgram(script), version: '1.2.3' },
    env: { FAKE_KEY: 'key-of-the-user-1' },
    realHome: '/nowhere',
    fileRules: settingsSchema.parse({}).files,
    clock: systemClock,
    redaction: NO_REDACTION,
    runProgram,
    ...rest,
  }
}

/** Runs an agent once. */
export async function runOnce(
  agent: Agent,
  place: PlainWorkspace,
  over: CliOver = {},
): Promise<{ result: AgentResult; events: AgentEvent[] }> {
  const { limits, ...rest } = over
  const events: AgentEvent[] = []
  const result = await agent.run({
    role: makeRole(),
    goal: 'Make it work.',
    workspace: place.workspace,
    isTestFile: (path) => /\.test\.\w+$/.test(path),
    protectedPaths: [],
    origin: { run: 'r-test', task: 'task', step: 'implement', attempt: 1 },
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    limits: { steps: 20, tokens: null, usd: null, timeoutMs: 20_000, commandTimeoutMs: 10_000, ...limits },
    ...rest,
  })
  return { result, events }
}

/** What a program says that works well. */
export const STARTED = { t: 'started', session: 's-1', model: 'm-1', version: '9.9.9' } as const
export const EDIT = [
  { t: 'tool', id: '1', phase: 'start', kind: 'edit', name: 'edit', target: 'a.txt' },
  { t: 'tool', id: '1', phase: 'end', kind: 'edit', name: 'edit', ok: true, output: 'done\nmore' },
] as const
export const DONE = { t: 'success', text: 'All done.', turns: 2 } as const
export const WORK = say(STARTED, ...EDIT, DONE)

export type ScriptOver = CliOver & {
  deps?: Partial<Omit<CliDeps, 'settings' | 'adapter'>>
  adapter?: Partial<CliAdapter>
  settings?: { [key: string]: Json }
  place?: ReturnType<typeof plainWorkspace>
}

/** Runs a program that is a shell script. `asked`: what it was asked to start. */
export async function runScript(script: string, { deps, adapter: special, settings, place: known, ...over }: ScriptOver = {}) {
  const place = known ?? plainWorkspace({ 'a.txt': 'old\n', 'a.test.ts': 'test\n' })
  const adapter = plainAdapter(special)
  const made = cliDeps(script, { ...deps, adapter, ...(settings && { settings }) })
  return { ...(await runOnce(createCliAgent(made), place, over)), place, asked: adapter.asked }
}

/** What an adapter is asked to start. */
export function cliRequest(over: Partial<CliRequest> = {}): CliRequest {
  return {
    prompt: 'Fix the sum.',
    promptFile: '/home/p.md',
    model: 'some-model',
    endpoint: { baseUrl: 'http://127.0.0.1:4321/x', key: 'the-key-itself' },
    session: '0b6e54c2-6f8e-4b7b-a9c0-0b0a6a1f0c11',
    resume: false,
    write: true,
    commands: true,
    confined: true,
    cwd: '/repo',
    home: '/home',
    limits: { turns: 40, usd: null },
    idleSeconds: 45,
    maxTokens: 8192,
    contextTokens: 128_000,
    args: [],
    ...over,
  }
}
