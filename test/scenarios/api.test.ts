import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fixtureProject } from '../support/fixture-project.ts'
import { type Reply, startModelServer } from '../support/model-server.ts'
import { reeveFor } from '../support/reeve.ts'
import { git } from '../support/repository.ts'
import { RANGES } from './cases.ts'

const KEY = 'sk-loopback-0123456789abcdef'

function projectFor(url: string): string {
  const project = fixtureProject('node-test')
  writeFileSync(
    join(project, 'reeve.toml'),
    `[providers]
order = ["local"]
[providers.local]
kind = "openai-compatible"
base_url = "${url}/v1"
model = "loopback"
api_key_env = "LOOPBACK_API_KEY"
headers = { x-run = "{run}", x-step = "{step}", x-role = "{role}" }
max_retries = 2
idle_timeout_seconds = 2
[runs]
workflow = "direct"
max_attempts = 1
`,
  )
  git(project, 'commit', '-qam', 'Use the model server')
  return project
}

const call = (it: { tool: string; input: Record<string, unknown> }): Reply => ({ kind: 'call', name: it.tool, input: it.input as never })

describe('a model behind an OpenAI-compatible server', () => {
  it('does the task: tool calls over the wire, headers with placeholders, a key that is seen nowhere', async () => {
    const busy: Reply = { kind: 'status', status: 429, headers: { 'retry-after': '0' } }
    const done: Reply = { kind: 'text', text: `The key is ${KEY}, and it is done.` }
    const server = await startModelServer(call(RANGES.tests), busy, ...RANGES.right.map(call), done)
    const project = projectFor(server.url)
    const ended = await reeveFor(project).run(RANGES.task, { env: { LOOPBACK_API_KEY: KEY } })

    expect(ended.exitCode, ended.text).toBe(0)
    expect(ended.run.verdict?.redProof.status).toBe('proved')
    expect(server.seen).toHaveLength(4)
    for (const { headers, path } of server.seen) {
      expect(path).toBe('/v1/chat/completions')
      expect(headers).toMatchObject({
        authorization: `Bearer ${KEY}`,
        'x-run': ended.run.id,
        'x-role': 'implementer',
        'x-step': 'direct/attempt-1/implement',
      })
    }
    expect(ended.run.usage.requests).toBeGreaterThanOrEqual(3)
    expect(ended.stdout, 'what the model says about the key is hidden').not.toContain(KEY)
  })

  it('goes silent: the run ends with exit code 3 soon after the idle limit', async () => {
    const server = await startModelServer({ kind: 'stall', after: 'headers' })
    const project = projectFor(server.url)
    writeFileSync(
      join(project, 'reeve.toml'),
      readFileSync(join(project, 'reeve.toml'), 'utf8').replace('max_retries = 2', 'max_retries = 0'),
    )
    const began = performance.now()
    const ended = await reeveFor(project).run(RANGES.task, { env: { LOOPBACK_API_KEY: KEY } })
    expect(ended.exitCode, ended.text).toBe(3)
    expect(ended.run.message).toMatch(/"local"/)
    expect((performance.now() - began) / 1000).toBeLessThan(30)
  })

  it('has no key: exit code 3 names the variable, before anything is asked', async () => {
    const server = await startModelServer({ kind: 'text', text: 'never' })
    const refused = await reeveFor(projectFor(server.url))(['run', 'Do it'])
    expect(refused.exitCode, refused.text).toBe(3)
    expect(refused.stderr).toContain('LOOPBACK_API_KEY')
    expect(server.seen).toEqual([])
  })
})
