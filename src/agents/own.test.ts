import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { folderWorkspace, made, makeRole, over } from '../../test/support/agent.ts'
import { startModelServer } from '../../test/support/model-server.ts'
import { providerSettings } from '../../test/support/provider.ts'
import { systemClock } from '../core/clock.ts'
import { settingsSchema } from '../core/settings.ts'
import { createProvider } from '../models/create.ts'
import type { ModelProvider } from '../models/port.ts'
import { runProgram } from '../process/run-program.ts'
import { createOwnAgent } from './own.ts'
import type { AgentResult } from './port.ts'

const ANSWER = { summary: 'Mends it.', edits: [{ path: 'a.js', find: 'a - b', replace: 'a + b' }], done: true }

async function run(provider: ModelProvider, style?: 'tools' | 'proposals'): Promise<AgentResult & { file: string }> {
  const workspace = folderWorkspace({ 'a.js': 'export const add = (a, b) => a - b\n' })
  const parts = { provider, clock: systemClock, runProgram, syntaxErrors: async () => null, repoMap: async () => '' }
  const agent = createOwnAgent({ ...parts, fileRules: settingsSchema.parse({}).files }, style)
  const result = await agent.run({
    role: makeRole(),
    goal: 'Mend a.js.',
    workspace,
    isTestFile: () => false,
    protectedPaths: [],
    origin: { run: 'r', task: 't', step: 'implement', attempt: 1 },
    limits: { steps: 5, tokens: null, usd: null, timeoutMs: 20_000, commandTimeoutMs: 10_000 },
    signal: new AbortController().signal,
    emit: () => undefined,
  })
  return { ...result, file: readFileSync(join(workspace.path, 'a.js'), 'utf8') }
}

it.each([
  ['anthropic', ''],
  ['openai', '/v1'],
  ['google', '/v1beta'],
  ['openai-compatible', '/v1'],
  ['ollama', ''],
])('a model behind %s can be asked for proposals', async (kind, path) => {
  // Anthropic's models give data as the arguments of a tool.
  const reply =
    kind === 'anthropic'
      ? ({ kind: 'call', name: 'json', input: ANSWER } as const)
      : ({ kind: 'text', text: JSON.stringify(ANSWER) } as const)
  const server = await startModelServer(reply)
  const settings = providerSettings({ kind, base_url: `${server.url}${path}`, model: 'm', api_key_env: 'K', max_retries: 0 })
  const result = await run(await createProvider('p', settings, { env: { K: 'k' }, projectRoot: '/' }), 'proposals')
  expect(result, result.problem).toMatchObject({ status: 'completed', text: 'Mends it.', file: 'export const add = (a, b) => a + b\n' })
  expect(server.seen).toHaveLength(1)
  expect(JSON.stringify(server.seen[0]?.body), 'it is held to the schema').toContain('"edits":{"')
})

it('works by tools where the model can, by proposals where it cannot, and as the settings say', async () => {
  const says = () => made([{ type: 'text', text: JSON.stringify(ANSWER) }, over('stop')])
  const without = (): ModelProvider => ({ ...says(), capabilities: { tools: false, schema: false, contextTokens: 30_000 } })
  const proposed = { text: 'Mends it.', file: 'export const add = (a, b) => a + b\n' }
  expect(await run(says())).toMatchObject({ text: JSON.stringify(ANSWER) })
  expect(await run(without())).toMatchObject(proposed)
  expect(await run(says(), 'proposals')).toMatchObject(proposed)
  expect(await run(without(), 'tools')).toMatchObject({ text: JSON.stringify(ANSWER) })
})

it('asks a server once what its model can do', async () => {
  let asked = 0
  let tools = true
  const provider: ModelProvider = {
    ...made([{ type: 'text', text: JSON.stringify(ANSWER) }, over('stop')]),
    get capabilities() {
      return { tools, schema: false, contextTokens: 30_000 }
    },
    learn: async () => {
      asked += 1
      tools = false
    },
  }
  expect((await run(provider)).text).toBe('Mends it.')
  expect(asked).toBeGreaterThan(0)
})
