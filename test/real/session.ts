import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createDetector, type Detector } from '../../src/agents/cli/detect.ts'
import { createAgent } from '../../src/agents/create.ts'
import type { AgentEvent, AgentRequest, AgentResult } from '../../src/agents/port.ts'
import { NO_REDACTION } from '../../src/core/redact.ts'
import { type ProviderSettings, settingsSchema } from '../../src/core/settings.ts'
import type { ScriptStep } from '../../src/models/scripted-server/script.ts'
import { runProgram } from '../../src/process/run-program.ts'
import { createSandbox } from '../../src/sandbox/create.ts'
import type { Sandbox } from '../../src/sandbox/port.ts'
import type { Workspace } from '../../src/workspace/port.ts'
import { openProject } from '../../src/workspace/project.ts'
import { createWorkspace } from '../../src/workspace/workspace.ts'
import { makeRole } from '../support/agent.ts'
import { writeFiles } from '../support/folder.ts'
import { git } from '../support/repository.ts'
import { searchPath } from './search-path.ts'

/** What only the scripted server may see: whatever else has it has a secret of the user's. */
export const KEY = 'sk-real-1f9d3c7ab26e4c58'
export const MODEL = 'scripted-model'

export const FILES: Readonly<Record<string, string>> = {
  'sum.mjs': 'export const sum = (a, b) => a - b\n',
  'sum.test.mjs': "import { sum } from './sum.mjs'\nif (sum(1, 2) !== 3) throw new Error('1 failed')\nconsole.log('1 passed')\n",
}
export const RIGHT = 'export const sum = (a, b) => a + b\n'
export const GOAL = 'Fix sum.mjs so that its test passes.'
/** Four turns: read, edit, test, word. In all 4006 tokens in and 200 out. */
export const FIX: readonly ScriptStep[] = [
  { read: 'sum.mjs' },
  { write: { path: 'sum.mjs', content: RIGHT } },
  { run: 'node sum.test.mjs' },
  { say: 'DONE, the test passes.' },
]

/** The user's environment, with the real agents on the search path. */
export function userEnv(home: string): Record<string, string> {
  return { PATH: searchPath(), HOME: home, SCRIPTED_API_KEY: KEY }
}

/** The sandbox of the operating system, as runs have it. The caller closes it. */
export async function osSandbox(folder: string): Promise<Sandbox> {
  const { sandbox: settings } = settingsSchema.parse({ sandbox: { level: 'auto' } })
  const sandbox = await createSandbox({ settings, folder, env: userEnv(folder), realHome: folder, signal: new AbortController().signal })
  if (sandbox.report.level !== 'os-sandbox') throw new Error(`There is no sandbox: ${sandbox.report.reason}`)
  return sandbox
}

/** A repository of these files, below a folder. */
export function makeProject(folder: string, files: Readonly<Record<string, string>> = FILES): string {
  const root = join(folder, 'project')
  writeFiles(root, files)
  git(root, 'init', '-q', '-b', 'main')
  git(root, 'add', '-A')
  git(root, 'commit', '-q', '-m', 'First commit')
  return root
}

/** A real workspace on a repository, with its data below the same folder. */
export async function openWork(folder: string, sandbox: Sandbox, files?: Readonly<Record<string, string>>): Promise<Workspace> {
  const project = await openProject(makeProject(folder, files))
  return await createWorkspace({
    project,
    runId: 'r1',
    taskId: 'fix-sum',
    role: 'implementer',
    base: project.head,
    dataDir: join(folder, 'data'),
    keeping: { sandbox, registries: () => Promise.resolve({ hosts: [], files: [], readable: [] }) },
    setup: [],
    signal: new AbortController().signal,
    timeoutMs: 60_000,
  })
}

/** Knows the versions of the real agents; a busy machine has time for them. */
export function detectorIn(folder: string): Detector {
  const home = join(folder, 'user')
  mkdirSync(home, { recursive: true })
  return createDetector({ env: userEnv(home), home, run: runProgram, timeoutMs: 60_000 })
}

export interface SessionWish {
  /** Settings of the provider; `kind` among them. */
  settings: { [key: string]: unknown }
  folder: string
  workspace: Workspace
  request?: Partial<Omit<AgentRequest, 'limits' | 'role'>> & {
    role?: { [key: string]: unknown }
    limits?: Partial<AgentRequest['limits']>
  }
  /** Absent: one that knows nothing yet. */
  detect?: Detector
  emit: (event: AgentEvent) => void
}

/** One step of a role by one provider, made as reeve makes it. */
export async function runSession({
  settings,
  folder,
  workspace,
  request = {},
  detect = detectorIn(folder),
  emit,
}: SessionWish): Promise<AgentResult> {
  const all = settingsSchema.parse({ providers: { order: ['real'], real: settings } })
  const home = join(folder, 'user')
  const agent = await createAgent('real', all.providers['real'] as unknown as ProviderSettings, all, {
    env: userEnv(home),
    home,
    projectRoot: workspace.project.root,
    redaction: NO_REDACTION,
    detect,
  })
  const { role, limits, ...rest } = request
  return await agent.run({
    role: makeRole({ permissions: { write: 'all', run_commands: true }, ...role }),
    goal: GOAL,
    workspace,
    isTestFile: (path) => path.includes('.test.'),
    protectedPaths: [],
    limits: { steps: 20, tokens: null, usd: null, timeoutMs: 50_000, commandTimeoutMs: 20_000, ...limits },
    origin: { run: 'r1', task: 'sum', step: 'implement', attempt: 1 },
    signal: new AbortController().signal,
    ...rest,
    emit,
  })
}
