import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Agent, AgentEvent, AgentRequest, AgentResult } from '../agents/port.ts'
import { roleSchema } from '../core/role.ts'
import { noSandbox } from '../sandbox/unconfined.ts'
import type { Workspace } from '../workspace/port.ts'
import { inTrialWorkspace } from '../workspace/trial.ts'
import type { Promised } from './promised.ts'

export interface AgentBench {
  /**
   * The agent as it would work. `edit`: it writes "hello" and a line end into `hello.txt` and stops. `hang`: it works without end. `fail`: its
   * provider refuses the key. null: it cannot be brought about.
   */
  make(situation: 'edit' | 'hang' | 'fail'): Promise<Agent | null>
}

/** What every agent promises, as tests. Each has a small repository of its own. */
export function agentPromises(bench: AgentBench): Promised[] {
  const promise = (
    name: string,
    situation: 'edit' | 'hang' | 'fail',
    check: (work: Worked) => Promise<void>,
    over?: () => Over,
  ): Promised => ({
    name,
    async run() {
      const agent = await bench.make(situation)
      if (agent !== null) await inRepository((workspace) => atWork(agent, workspace, over?.() ?? {}).then(check))
    },
  })
  return [
    promise('works on the files and says that it is done', 'edit', async ({ result, workspace }) => {
      assert.equal(result.status, 'completed', result.problem)
      assert.equal(await readFile(join(workspace.path, 'hello.txt'), 'utf8'), 'hello\n')
    }),
    promise('tells what it does while it works', 'edit', ({ events }) => {
      assert.ok(events.length > 0, 'there are events')
      return Promise.resolve()
    }),
    promise('says why it failed, with a class', 'fail', ({ result }) => {
      assert.equal(result.status, 'failed')
      assert.equal(result.class, 'auth', result.problem)
      assert.match(result.problem, /\S/)
      return Promise.resolve()
    }),
    promise(
      'ends soon after it is aborted',
      'hang',
      ({ result, ms }) => {
        assert.equal(result.status, 'aborted', result.problem)
        assert.ok(ms < 10_000, `it took ${ms} ms`)
        return Promise.resolve()
      },
      () => ({ signal: AbortSignal.timeout(300) }),
    ),
    promise(
      'keeps its time limit, and names it',
      'hang',
      ({ result, ms }) => {
        assert.equal(result.status, 'limited', result.problem)
        assert.match(result.problem, /\S/)
        assert.ok(ms < 10_000, `it took ${ms} ms`)
        return Promise.resolve()
      },
      () => ({ timeoutMs: 300 }),
    ),
  ]
}

interface Over {
  signal?: AbortSignal
  timeoutMs?: number
}

interface Worked {
  result: AgentResult
  events: AgentEvent[]
  workspace: Workspace
  ms: number
}

async function atWork(agent: Agent, workspace: Workspace, { signal, timeoutMs = 60_000 }: Over): Promise<Worked> {
  const events: AgentEvent[] = []
  const request: AgentRequest = {
    role: roleSchema.parse({ name: 'implementer', prompt: 'Do what you are asked.', permissions: { write: 'all', run_commands: true } }),
    goal: 'Write the line "hello" into the file hello.txt.',
    workspace,
    isTestFile: () => false,
    protectedPaths: [],
    limits: { steps: 10, tokens: null, usd: null, timeoutMs, commandTimeoutMs: 10_000 },
    origin: { run: 'promises', task: 'hello', step: 'implement', attempt: 1 },
    signal: signal ?? new AbortController().signal,
    emit: (event) => void events.push(event),
  }
  const began = performance.now()
  const result = await agent.run(request)
  return { result, events, workspace, ms: performance.now() - began }
}

/** Without a sandbox, since it is the author's own agent. */
function inRepository(use: (workspace: Workspace) => Promise<void>): Promise<void> {
  const keeping = { sandbox: noSandbox, registries: () => Promise.resolve({ hosts: [], files: [], readable: [] }) }
  const files = { 'README.md': 'A place to try an agent.\n' }
  return inTrialWorkspace({ files, keeping, signal: new AbortController().signal }, use)
}
