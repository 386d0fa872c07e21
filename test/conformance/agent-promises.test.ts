import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createLoopAgent } from '../../src/agents/loop/agent.ts'
import { createPluginAgent } from '../../src/agents/plugin.ts'
import type { Agent, AgentResult } from '../../src/agents/port.ts'
import { systemClock } from '../../src/core/clock.ts'
import { NO_USAGE } from '../../src/core/run.ts'
import { settingsSchema } from '../../src/core/settings.ts'
import { type AgentBench, agentPromises } from '../../src/plugin/agent-promises.ts'
import { runProgram } from '../../src/process/run-program.ts'
import { scripted } from '../support/agent.ts'
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

describe.each([
  ['our own agent', loopAgent],
  ['a plug-in', pluginAgent],
])('what every agent promises: %s', (_, make) => {
  for (const { name, run } of agentPromises({ make })) it(name, run)
})

it('is not promised by an agent that only says so', async () => {
  const [works] = agentPromises({ make: async () => ({ provider: 'p', model: 'm', run: async () => NOTHING }) })
  await expect(works?.run()).rejects.toThrow('hello.txt')
})
