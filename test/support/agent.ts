import { createLoopAgent, type LoopDeps } from '../../src/agents/loop/agent.ts'
import type { AgentEvent, AgentRequest, AgentResult } from '../../src/agents/port.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Json } from '../../src/core/json.ts'
import { type Role, roleSchema } from '../../src/core/role.ts'
import { settingsSchema } from '../../src/core/settings.ts'
import { createProvider } from '../../src/models/create.ts'
import type { ModelEvent, ModelProvider } from '../../src/models/port.ts'
import { runProgram } from '../../src/process/run-program.ts'
import type { Workspace } from '../../src/workspace/port.ts'
import { temporaryFolder, writeFiles } from './folder.ts'
import { providerSettings } from './provider.ts'

/** A folder of files as a workspace, as far as an agent looks at it: path, environment, target. Its git side throws. */
export function folderWorkspace(files: Readonly<Record<string, string>>, targetDir = '.'): Workspace {
  const path = temporaryFolder()
  writeFiles(path, files)
  const plain = {
    path,
    targetDir,
    env: { PATH: process.env['PATH'] ?? '', HOME: path, LANG: 'C.UTF-8' },
    agentEnv: undefined,
    confinement: undefined,
    agentConfinement: undefined,
    run: 'r-test',
    runId: 'r-test',
    branch: 'auto/x',
  }
  return new Proxy(plain, {
    get: (it, key) => {
      if (key in it) return it[key as keyof typeof plain]
      throw new Error(`an agent looked at workspace.${String(key)}`)
    },
  }) as unknown as Workspace
}

export function makeRole(over: { [key: string]: unknown } = {}): Role {
  return roleSchema.parse({ name: 'implementer', prompt: 'Do it.', permissions: { write: 'production', run_commands: true }, ...over })
}

/** A scripted provider from the text of its replies. */
export async function scripted(replies: string, over: { [key: string]: Json } = {}): Promise<ModelProvider> {
  const folder = temporaryFolder()
  writeFiles(folder, { 'replies.yaml': replies })
  return createProvider('script', providerSettings({ kind: 'scripted', file: 'replies.yaml', ...over }), { env: {}, projectRoot: folder })
}

export interface AgentRun {
  result: AgentResult
  events: AgentEvent[]
  workspace: Workspace
}

/** Runs our own agent once with these replies. */
export async function runAgent(
  provider: ModelProvider,
  over: Partial<Omit<AgentRequest, 'limits'>> & { files?: Readonly<Record<string, string>>; limits?: Partial<AgentRequest['limits']> } = {},
  deps: Partial<LoopDeps> = {},
): Promise<AgentRun> {
  const { files, limits, ...rest } = over
  const events: AgentEvent[] = []
  const workspace = rest.workspace ?? folderWorkspace(files ?? {})
  const agent = createLoopAgent({
    provider,
    clock: systemClock,
    runProgram,
    syntaxErrors: async () => null,
    repoMap: async () => 'src/a.ts: function add',
    fileRules: settingsSchema.parse({}).files,
    ...deps,
  })
  const result = await agent.run({
    role: makeRole(),
    goal: 'Make it work.',
    isTestFile: (path) => /\.test\.\w+$/.test(path) || path.startsWith('test/'),
    protectedPaths: [],
    origin: { run: 'r-test', task: 'task', step: 'implement', attempt: 1 },
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    ...rest,
    workspace,
    limits: { steps: 20, tokens: null, usd: null, timeoutMs: 20_000, commandTimeoutMs: 10_000, ...limits },
  })
  return { result, events, workspace }
}

/** A provider of a few lines: each answer is a list of events. */
export function made(...answers: ModelEvent[][]): ModelProvider {
  let turn = 0
  return {
    name: 'made',
    model: 'm',
    capabilities: { tools: true, schema: false, contextTokens: 100_000 },
    async *generate() {
      yield* answers[Math.min(turn++, answers.length - 1)] ?? []
    },
    health: async () => ({ ok: true, detail: '' }),
  }
}

export function over(finish: 'stop' | 'length' | 'calls' | 'refused' | 'other'): ModelEvent {
  return { type: 'done', usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0, requests: 1 }, cost: 0, finish }
}
