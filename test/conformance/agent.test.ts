import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createProvider } from '../../src/models/create.ts'
import { folderWorkspace, runAgent } from '../support/agent.ts'
import { type Reply, startModelServer } from '../support/model-server.ts'
import { providerSettings } from '../support/provider.ts'

async function provider(kind: string, ...replies: Reply[]) {
  const server = await startModelServer(...replies)
  const settings = providerSettings({
    kind,
    base_url: server.url,
    model: 'm',
    api_key_env: 'KEY',
    idle_timeout_seconds: 0.4,
    max_retries: 0,
  })
  return { server, provider: await createProvider('p', settings, { env: { KEY: 'a-long-enough-key' }, projectRoot: '/' }) }
}

describe.each(['openai-compatible', 'anthropic', 'openai', 'google', 'ollama'])('our agent over %s', (kind) => {
  it('reads, edits, is told of a mistake, and finishes', async () => {
    const made = await provider(
      kind,
      { kind: 'call', name: 'read_file', input: { path: 'src/a.ts' }, text: 'I look at it.' },
      { kind: 'call', name: 'edit_file', input: { path: 'src/a.ts', old: 'nothing', new: 'x' } },
      { kind: 'call', name: 'edit_file', input: { path: 'src/a.ts', old: 'a - b', new: 'a + b' } },
      { kind: 'call', name: 'finish', input: { summary: 'Adds now.', output: { ok: true } } },
    )
    const workspace = folderWorkspace({ 'src/a.ts': 'export const add = (a, b) => a - b\n' })
    const outputSchema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] }
    const { result, events } = await runAgent(made.provider, { workspace, outputSchema })
    expect(result).toMatchObject({
      status: 'completed',
      text: 'Adds now.',
      output: { ok: true },
      steps: 4,
      usage: { inputTokens: 48, requests: 4 },
    })
    expect(readFileSync(join(workspace.path, 'src/a.ts'), 'utf8')).toBe('export const add = (a, b) => a + b\n')
    expect(events.map((it) => (it.type === 'acted' ? `${it.tool} ${it.ok}` : it.type))).toEqual([
      'said',
      'used',
      'read_file true',
      'used',
      'edit_file false',
      'used',
      'edit_file true',
      'used',
      'finish true',
    ])
    const used = events.flatMap((it) => (it.type === 'used' ? [it.usage.inputTokens] : []))
    expect(used, 'each call by itself').toEqual([12, 12, 12, 12])
    const sent = JSON.stringify(made.server.seen.at(-1)?.body)
    expect(sent).toContain('Edited src/a.ts at line 1.')
    expect(sent).toContain('the text to replace is not in the file')
  })

  it('ends with the class of the failure', async () => {
    const table: [Reply, string][] = [
      [{ kind: 'status', status: 401 }, 'auth'],
      [{ kind: 'stall', after: 'text' }, 'timeout'],
      [{ kind: 'garbage' }, 'bad_output'],
      [{ kind: 'refusal' }, 'refused'],
      [{ kind: 'flood', bytes: 50_000_000 }, 'bad_output'],
    ]
    for (const [reply, expected] of table) {
      // Ollama has no word for it but the text.
      if (kind === 'ollama' && expected === 'refused') continue
      const { result } = await runAgent((await provider(kind, reply)).provider)
      expect(result, JSON.stringify(reply)).toMatchObject({ status: 'failed', class: expected, steps: 1 })
      expect(result.problem, JSON.stringify(reply)).not.toBe('')
    }
  })
})
