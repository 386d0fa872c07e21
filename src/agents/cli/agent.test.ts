import { describe, expect, it } from 'vitest'
import { makeRole } from '../../../test/support/agent.ts'
import { type CliOver, cliDeps, plainAdapter, plainWorkspace, runOnce, say } from '../../../test/support/cli-agent.ts'
import { createCliAgent } from './agent.ts'

const READER = makeRole({ name: 'reviewer', permissions: { write: 'none', run_commands: true } })
const STARTED = { t: 'started', session: 's-1', model: 'm-1', version: '9.9.9' } as const
const EDIT = [
  { t: 'tool', id: '1', phase: 'start', kind: 'edit', name: 'edit', target: 'a.txt' },
  { t: 'tool', id: '1', phase: 'end', kind: 'edit', name: 'edit', ok: true, output: 'done\nmore' },
] as const
const DONE = { t: 'success', text: 'All done.', turns: 2 } as const

async function run(script: string, over: CliOver = {}, deps: Parameters<typeof cliDeps>[1] = {}) {
  const place = plainWorkspace({ 'a.txt': 'old\n', 'a.test.txt': 'test\n' })
  const adapter = plainAdapter(deps.adapter)
  const made = cliDeps(script, { ...deps, adapter })
  return { ...(await runOnce(createCliAgent(made), place, over)), place, asked: adapter.asked }
}

describe('a program that is an agent', () => {
  it('gets its prompt, works in the tree, and what it says becomes events and a result', async () => {
    const script = `cat > prompt.txt; ${say(STARTED, ...EDIT)}\necho new > a.txt\n${say({ t: 'usage', scope: 'total', input: 100, output: 5, cached: 20, costUsd: 0.5 }, DONE)}`
    const { result, events, place, asked } = await run(script)
    expect(result).toEqual({
      status: 'completed',
      text: 'All done.',
      output: null,
      problem: '',
      class: null,
      retryAt: null,
      usage: { inputTokens: 100, outputTokens: 5, cachedInputTokens: 20, requests: 2 },
      cost: 0.5,
      steps: 2,
      session: 's-1',
    })
    expect(place.files()['a.txt']).toBe('new\n')
    expect(place.files()['prompt.txt']).toContain('# Task\n\nMake it work.')
    expect(events).toEqual([
      { type: 'started', program: 'fake', version: '9.9.9', model: 'm-1', session: 's-1' },
      { type: 'acted', tool: 'edit', target: 'a.txt', ok: true, summary: 'done' },
      {
        type: 'used',
        usage: { inputTokens: 100, outputTokens: 5, cachedInputTokens: 20, requests: 2 },
        cost: 0.5,
        model: 'm-1',
        source: 'reported',
      },
    ])
    expect(asked[0]).toMatchObject({ resume: false, write: true, commands: true, confined: false, limits: { turns: 20, usd: null } })
    expect(place.ways.at(-1)).toMatchObject({ name: 'fake', secrets: { THE_KEY: 'key-of-the-user-1' }, readOnly: false })
  })
})

void READER
