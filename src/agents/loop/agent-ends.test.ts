import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderWorkspace, made, makeRole, over, runAgent, scripted } from '../../../test/support/agent.ts'
import type { Json } from '../../core/json.ts'
import { settingsSchema } from '../../core/settings.ts'
import type { GenerateRequest, ModelEvent } from '../../models/port.ts'
import { guard } from '../../sandbox/guarded.ts'
import { createLimits } from '../../sandbox/limits/of-runs.ts'

describe('answers that are no good end', () => {
  it('goes on after an answer that was cut, and gives up after three', async () => {
    const cut: ModelEvent[] = [{ type: 'text', text: 'and then' }, over('length')]
    const fine = await runAgent(made(cut, cut, [{ type: 'text', text: 'done' }, over('stop')]))
    expect(fine.result).toMatchObject({ status: 'completed', text: 'done', steps: 3 })
    const { result } = await runAgent(made(cut))
    expect(result).toMatchObject({
      status: 'failed',
      class: 'bad_output',
      problem: 'The answer was cut at the output limit, 3 times in a row.',
    })
  })

  it('fails as refused when the model refuses', async () => {
    const { result } = await runAgent(made([{ type: 'text', text: 'I cannot.' }, over('refused')]))
    expect(result).toMatchObject({ status: 'failed', class: 'refused', text: 'I cannot.' })
  })

  it('does not believe a provider that says nothing at the end', async () => {
    const { result } = await runAgent(made([{ type: 'text', text: 'half' }]))
    expect(result).toMatchObject({ status: 'failed', class: 'bad_output', problem: 'The stream ended without an answer.', cost: null })
    expect(result.usage.requests).toBe(1)
  })

  it('stops a provider that knows no limit', async () => {
    const much: ModelEvent[] = Array.from({ length: 2000 }, () => ({ type: 'text', text: 'x'.repeat(1000) }))
    const { result, events } = await runAgent(made(much))
    expect(result).toMatchObject({
      status: 'failed',
      class: 'bad_output',
      problem: 'The answer is longer than 1048576 characters; it was stopped.',
    })
    const said = events.reduce((sum, it) => sum + (it.type === 'said' ? it.text.length : 0), 0)
    expect(said).toBeLessThanOrEqual(8000)
  })

  it('does not finish in the same turn as a failed call', async () => {
    const both: ModelEvent[] = [
      { type: 'call', call: { id: '1', name: 'read_file', input: { path: 'none' } } },
      { type: 'call', call: { id: '2', name: 'finish', input: { summary: 'All done.' } } },
      over('calls'),
    ]
    const { result, events } = await runAgent(made(both, [{ type: 'text', text: 'Not done.' }, over('stop')]))
    expect(result).toMatchObject({ status: 'completed', text: 'Not done.', steps: 2 })
    expect(events).toContainEqual({ type: 'acted', tool: 'finish', target: '', ok: false, summary: 'not yet' })
  })

  it('keeps an answer that stands beside the call of finish', async () => {
    const both: ModelEvent[] = [
      { type: 'text', text: 'The sign in line 1 is wrong.' },
      { type: 'call', call: { id: '1', name: 'finish', input: { summary: 'Reviewed.' } } },
      over('calls'),
    ]
    const { result } = await runAgent(made(both), { role: makeRole({ name: 'reviewer', permissions: { write: 'none' } }) })
    expect(result.text).toBe('The sign in line 1 is wrong.\n\nReviewed.')
  })

  it('turns a tool that throws into a refusal', async () => {
    const call: ModelEvent[] = [{ type: 'call', call: { id: '1', name: 'run_command', input: { command: 'true' } } }, over('calls')]
    const { result, events } = await runAgent(
      made(call, [{ type: 'text', text: 'ok' }, over('stop')]),
      {},
      { runProgram: () => Promise.reject(new Error('no more processes')) },
    )
    expect(result.status).toBe('completed')
    expect(events).toContainEqual({ type: 'acted', tool: 'run_command', target: '', ok: false, summary: 'no more processes' })
  })

  it('tells how many turns are left, and in which folder and under which rules to work', async () => {
    const seen: GenerateRequest[] = []
    const provider = made(
      [{ type: 'call', call: { id: '1', name: 'list_files', input: {} } }, over('calls')],
      [{ type: 'text', text: 'ok' }, over('stop')],
    )
    const spy = {
      ...provider,
      generate: (request: GenerateRequest) => (
        seen.push(structuredClone({ ...request, signal: null as never })), provider.generate(request)
      ),
    }
    const workspace = folderWorkspace({ 'pkg/a.ts': '' }, 'pkg')
    await runAgent(spy, { workspace, protectedPaths: ['test/spec.test.ts'], limits: { steps: 4 } })
    const [system] = seen[0]?.messages ?? []
    expect(JSON.stringify(system)).toContain('Your task is about the folder \\"pkg\\"')
    expect(JSON.stringify(system)).toContain('Nobody may change: test/spec.test.ts.')
    expect(JSON.stringify(seen[1]?.messages.at(-1))).toContain('(3 turns left. Finish with what you have.)')
  })
})

describe('arguments nested a hundred thousand levels deep', () => {
  const text = '['.repeat(100_000) + ']'.repeat(100_000)
  const deep = JSON.parse(text) as Json
  const usage = { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0, requests: 1 }
  const answer = (name: string, input: Json): ModelEvent[] => [
    { type: 'call', call: { id: 'c1', name, input } },
    { type: 'done', usage, cost: 0, finish: 'calls' },
  ]

  it.each([
    ['as JSON', { summary: 'x', output: deep }],
    ['as a text of JSON', text],
  ])('are refused with a sentence, and the agent goes on: %s', async (_, input) => {
    const seen: GenerateRequest[] = []
    const provider = made(answer('finish', input), answer('finish', { summary: 'Done.' }))
    const spy = { ...provider, generate: (request: GenerateRequest) => (seen.push(request), provider.generate(request)) }
    const { result } = await runAgent(spy)
    expect(result).toMatchObject({ status: 'completed', text: 'Done.' })
    expect(JSON.stringify(seen[1]?.messages)).toContain('finish: the arguments are nested deeper than 100 levels.')
  })

  it('are no crash in an answer of text, either', async () => {
    const said: ModelEvent[] = [
      { type: 'text', text },
      { type: 'done', usage, cost: 0, finish: 'stop' },
    ]
    const { result } = await runAgent(made(said), { outputSchema: { type: 'object' } })
    expect(result).toMatchObject({ status: 'failed', class: 'bad_output' })
  })
})

describe('the memory of a small model', () => {
  const big = 'x'.repeat(6000).replaceAll(/(.{60})/g, '$1\n')
  const reads = [1, 2, 3, 4, 5, 6].map((at) => `{ calls: [{ tool: read_file, input: { path: f${at}.txt } }] }`).join(', ')
  const files = Object.fromEntries([1, 2, 3, 4, 5, 6].map((at) => [`f${at}.txt`, `${at}${big}`]))

  it('leaves out the oldest results instead of failing', async () => {
    const provider = await scripted(`replies: [{ turns: [${reads}, { text: Done. }] }]`, { context_tokens: 12_000 })
    const sizes: number[] = []
    const spy = {
      ...provider,
      generate: (request: Parameters<typeof provider.generate>[0]) => {
        sizes.push(JSON.stringify(request.messages).length)
        return provider.generate(request)
      },
    }
    const { result } = await runAgent(spy, { workspace: folderWorkspace(files) })
    expect(result).toMatchObject({ status: 'completed', steps: 7 })
    expect(Math.max(...sizes) / 3.6).toBeLessThan(12_000)
    expect(sizes.some((it, at) => at > 0 && it < (sizes[at - 1] ?? 0))).toBe(true)
  })

  it('says so when the task alone is too long, without a call', async () => {
    const provider = await scripted('replies: [{ text: x }]', { context_tokens: 8000 })
    const { result } = await runAgent(provider, { goal: 'word '.repeat(10_000) })
    expect(result).toMatchObject({ status: 'failed', class: 'context_too_long', steps: 0 })
    expect(result.problem).toMatch(/^The task needs about \d+ tokens, the provider "script" has room for \d+ \(context_tokens\)\.$/)
  })

  it('makes room once more when the server counts differently', async () => {
    const turns = `${reads}, { fail: context_too_long, times: 1 }, { text: never }`
    const { result } = await runAgent(await scripted(`replies: [{ turns: [${turns}] }]`), { workspace: folderWorkspace(files) })
    expect(result.status).toBe('completed')
  })
})

describe('a command that breaks a limit of the run', () => {
  it('ends the step as limited, says which limit, and what it wrote stays', async () => {
    const settings = settingsSchema.parse({ sandbox: { limits: { file_size_mb: 1 } } }).sandbox.limits
    const limits = await createLimits(settings, null)
    const workspace = { ...folderWorkspace({}), confinement: guard(limits.of({ folders: [] }, 'run')) }
    const large: ModelEvent[] = [
      { type: 'call', call: { id: '1', name: 'run_command', input: { command: 'head -c 3000000 /dev/zero > big' } } },
      { type: 'call', call: { id: '2', name: 'run_command', input: { command: 'touch afterwards' } } },
      over('calls'),
    ]
    const { result, events } = await runAgent(made(large), { workspace })
    await limits.close()
    const sentence = 'was ended: it broke the limit of 1 MB for file size with 1 MB (sandbox.limits.file_size_mb).'
    expect(result).toMatchObject({ status: 'limited', problem: `"head -c 3000000 /dev/zero > big" ${sentence}`, steps: 1 })
    expect(events).toContainEqual({
      type: 'broke',
      command: 'head -c 3000000 /dev/zero > big',
      breach: { limit: 'file size', allowed: 1, peak: 1, unit: 'MB', setting: 'sandbox.limits.file_size_mb' },
    })
    expect(statSync(join(workspace.path, 'big')).size).toBe(1024 * 1024)
    expect(events.filter((it) => it.type === 'acted')).toHaveLength(1)
  })
})
