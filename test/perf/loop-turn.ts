import { mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLoopAgent } from '../../src/agents/loop/agent.ts'
import type { AgentRequest } from '../../src/agents/port.ts'
import { systemClock } from '../../src/core/clock.ts'
import { NO_USAGE } from '../../src/core/run.ts'
import { settingsSchema } from '../../src/core/settings.ts'
import type { ModelProvider } from '../../src/models/port.ts'
import { runProgram } from '../../src/process/run-program.ts'
import type { Workspace } from '../../src/workspace/port.ts'
import { writeFiles } from '../support/folder.ts'
import { type Figure, figure, inTurns, millisecondsOf } from './measure.ts'

const TURNS = 100

/** One turn of our own loop over a model that answers at once: reading a file of a hundred lines, with everything that is checked on the way. */
export async function loopTurn(folder: string): Promise<Figure> {
  const root = join(folder, 'tree')
  mkdirSync(root, { recursive: true })
  const files = Object.fromEntries(
    Array.from({ length: TURNS }, (_, at) => [`src/part-${at}.js`, `export const line = ${at}\n`.repeat(100)]),
  )
  writeFiles(root, files)
  const agent = createLoopAgent({
    provider: reader(),
    clock: systemClock,
    runProgram,
    syntaxErrors: async () => null,
    repoMap: async () => '',
    fileRules: settingsSchema.parse({}).files,
  })
  const measured = await inTurns(
    7,
    async () => (await millisecondsOf(() => mustComplete(agent.run(requestIn(root))))) / (TURNS + 1),
    async () => (await millisecondsOf(() => readAll(root, Object.keys(files)))) / TURNS,
  )
  return figure('a turn of the agent loop (reads a file)', measured, 'reading that file')
}

async function readAll(root: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) await readFile(join(root, path), 'utf8')
}

async function mustComplete(running: Promise<{ status: string; problem: string; steps: number }>): Promise<void> {
  const { status, problem, steps } = await running
  if (status !== 'completed' || steps !== TURNS + 1) throw new Error(`The loop ended as ${status} after ${steps} turns: ${problem}`)
}

function reader(): ModelProvider {
  return {
    name: 'reader',
    model: 'none',
    capabilities: { tools: true, schema: false, contextTokens: 1_000_000 },
    health: async () => ({ ok: true, detail: '' }),
    async *generate({ origin: { turn } }) {
      if (turn < TURNS) yield { type: 'call', call: { id: `c${turn}`, name: 'read_file', input: { path: `src/part-${turn}.js` } } }
      else yield { type: 'text', text: 'Done.' }
      yield { type: 'done', usage: NO_USAGE, cost: 0, finish: turn < TURNS ? 'calls' : 'stop' }
    },
  }
}

function requestIn(root: string): AgentRequest {
  return {
    role: {
      name: 'reader',
      description: '',
      reviewers: [],
      prompt: 'Read.',
      permissions: { write: 'none', run_commands: false, deny: [], forbidden: [] },
      providers: [],
      max_steps: TURNS + 10,
    },
    goal: 'Read everything.',
    // The loop reads files below a path; nothing else of a workspace is needed for that.
    workspace: { path: root, targetDir: '.', env: {} } as unknown as Workspace,
    isTestFile: () => false,
    protectedPaths: [],
    limits: { steps: TURNS + 10, tokens: null, usd: null, timeoutMs: 60_000, commandTimeoutMs: 1000 },
    origin: { run: 'r', task: 't', step: 's', attempt: 1 },
    signal: new AbortController().signal,
    emit: () => undefined,
  }
}
