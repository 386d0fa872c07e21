import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { acpAdapter, createAcpAgent } from '../../src/agents/acp/agent.ts'
import { createCliAgent } from '../../src/agents/cli/agent.ts'
import { createLoopAgent } from '../../src/agents/loop/agent.ts'
import { createPluginAgent } from '../../src/agents/plugin.ts'
import type { Agent, AgentResult } from '../../src/agents/port.ts'
import { systemClock } from '../../src/core/clock.ts'
import { NO_USAGE } from '../../src/core/run.ts'
import { settingsSchema } from '../../src/core/settings.ts'
import { type AgentBench, agentPromises } from '../../src/plugin/agent-promises.ts'
import { runProgram } from '../../src/process/run-program.ts'
import { speaker } from '../support/acp-agent.ts'
import { scripted } from '../support/agent.ts'
import { cliDeps, say, scriptProgram } from '../support/cli-agent.ts'
import { providerSettings } from '../support/provider.ts'

type Situation = Parameters<AgentBench['make']>[0]

const REPLIES: Record<Situation, string> = {
  edit: 'turns:\n      - calls: [{ tool: write_file, input: { path: hello.txt, content: "hello\\n" } }]\n      - text: Done.',
  hang: 'stall: 10m',
  fail: 'fail: auth\n    problem: The key is refused.',
}

async function loopAgent(situation: Situation): Promise<Agent> {
  const provider = await scripted(`replies:\n  - ${REPLIES[situation]}\n`)
  const rest = { runProgram, syntaxErrors: async () => null, repoMap: async () => '', fileRules: settingsSchema.parse({}).files }
  return createLoopAgent({ provider, clock: systemClock, ...rest })
}

const NOTHING: AgentResult = {
  status: 'completed',
  text: 'Done.',
  output: null,
  problem: '',
  class: null,
  retryAt: null,
  usage: NO_USAGE,
  cost: 0,
  steps: 1,
}

function pluginAgent(situation: Situation): Promise<Agent> {
  return createPluginAgent(
    {
      kind: 'agent',
      create: () => ({
        model: 'made-up',
        async run({ workspace, limits, signal, emit }) {
          emit({ type: 'said', text: 'I begin.' })
          if (situation === 'fail') return { ...NOTHING, status: 'failed', class: 'auth', problem: 'The key is refused.' }
          if (situation === 'edit') {
            await writeFile(join(workspace.path, 'hello.txt'), 'hello\n')
            return NOTHING
          }
          await sleep(limits.timeoutMs, undefined, { signal }).catch(() => undefined)
          return signal.aborted
            ? { ...NOTHING, status: 'aborted', class: 'aborted', problem: 'The step was aborted.' }
            : { ...NOTHING, status: 'limited', problem: 'The time is up.' }
        },
      }),
    },
    'mine',
    providerSettings({ kind: 'plugin', module: './mine.mjs' }),
    { env: {}, projectRoot: '/', runProgram },
  )
}

const AUTH = 'The key is refused.'

/** A program that is started for its prompt. */
async function cliAgent(situation: Situation): Promise<Agent> {
  const scripts: Record<Situation, string> = {
    edit: `echo hello > hello.txt\n${say({ t: 'started', session: 's' }, { t: 'success', text: 'Done.' })}`,
    hang: `${say({ t: 'started', session: 's' })}\nsleep 60`,
    fail: `${say({ t: 'error', class: 'auth', problem: AUTH })}\nexit 1`,
  }
  return createCliAgent(cliDeps(scripts[situation]))
}

/** A program that speaks the Agent Client Protocol. */
async function acpAgent(situation: Situation): Promise<Agent> {
  const said = { update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: 'I begin.' } } }
  const moves = {
    edit: [said, { do: "fs.writeFileSync('hello.txt', 'hello\\n')" }, { end: { stopReason: 'end_turn' } }],
    hang: [said],
    fail: [{ fail: { code: 401, message: AUTH } }],
  }
  const program = { path: scriptProgram(speaker([moves[situation]]), process.execPath), version: null }
  return createAcpAgent(cliDeps('', { program, adapter: acpAdapter(providerSettings({ kind: 'acp', binary: program.path })) }))
}

describe.each([
  ['our own agent', loopAgent],
  ['a program', cliAgent],
  ['a program that speaks ACP', acpAgent],
  ['a plug-in', pluginAgent],
])('what every agent promises: %s', (_, make) => {
  for (const { name, run } of agentPromises({ make })) it(name, run)
})

it('is not promised by an agent that only says so', async () => {
  const [works] = agentPromises({ make: async () => ({ provider: 'p', model: 'm', run: async () => NOTHING }) })
  await expect(works?.run()).rejects.toThrow('hello.txt')
})
