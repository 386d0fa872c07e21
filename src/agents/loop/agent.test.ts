import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderWorkspace, made, makeRole, over, runAgent, scripted } from '../../../test/support/agent.ts'
import type { GenerateRequest, ModelEvent } from '../../models/port.ts'

const PLAN = {
  type: 'object',
  properties: { parts: { type: 'array', items: { type: 'string' }, minItems: 1 } },
  required: ['parts'],
}

function finish(output: string): string {
  return `{ calls: [{ tool: finish, input: { summary: s, output: ${output} } }] }`
}

function edit(at: number): string {
  return `{ calls: [{ tool: write_file, input: { path: a.txt, content: "${at}" } }] }`
}

describe('the loop', () => {
  it('runs the calls of a model one after another and ends with finish', async () => {
    const provider = await scripted(`
replies:
  - turns:
      - text: I write it.
        calls:
          - { tool: write_file, input: { path: src/a.ts, content: "export const a = 1\\n" } }
          - { tool: edit_file, input: { path: src/a.ts, old: "a = 1", new: "a = 2" } }
      - calls: [{ tool: run_command, input: { command: "cat src/a.ts" } }]
      - calls: [{ tool: finish, input: { summary: It is written. } }]
`)
    const { result, events, workspace } = await runAgent(provider)
    expect(result).toMatchObject({ status: 'completed', text: 'It is written.', problem: '', class: null, steps: 3, cost: 0, output: null })
    expect(result.usage.requests).toBe(3)
    expect(result.usage.inputTokens).toBeGreaterThan(300)
    expect(readFileSync(join(workspace.path, 'src/a.ts'), 'utf8')).toBe('export const a = 2\n')
    expect(events.filter((it) => it.type !== 'used')).toEqual([
      { type: 'said', text: 'I write it.' },
      { type: 'acted', tool: 'write_file', target: 'src/a.ts', ok: true, summary: 'made, 1 lines' },
      { type: 'acted', tool: 'edit_file', target: 'src/a.ts', ok: true, summary: 'line 1' },
      { type: 'acted', tool: 'run_command', target: 'cat src/a.ts', ok: true, summary: 'exit code 0' },
      { type: 'acted', tool: 'finish', target: '', ok: true, summary: 'It is written.' },
    ])
  })

  it('gives the model what a tool said, with the next move', async () => {
    const seen: string[] = []
    const provider = await scripted('replies: [{ turns: [{ calls: [{ tool: read_file, input: { path: none.ts } }] }, { text: Sorry. }] }]')
    const spy = {
      ...provider,
      generate: (request: Parameters<typeof provider.generate>[0]) => {
        seen.push(JSON.stringify(request.messages))
        return provider.generate(request)
      },
    }
    const { result } = await runAgent(spy)
    expect(result.status).toBe('completed')
    expect(seen[1]).toContain('read_file: there is no file \\"none.ts\\"; list_files shows what is there.')
  })

  it('ends as bad_output after three malformed calls in a row, and says what was wrong', async () => {
    const call = '{ raw_call: { tool: edit_file, input: "{broken" } }'
    const { result } = await runAgent(await scripted(`replies: [{ turns: [${call}, ${call}, ${call}, { text: never }] }]`))
    expect(result).toMatchObject({ status: 'failed', class: 'bad_output', steps: 3 })
    expect(result.problem).toContain('3 tool calls in a row made no sense')
    expect(result.problem).toContain('edit_file: the arguments are wrong')
  })

  it('forgives malformed calls that a good one follows', async () => {
    const bad = '{ raw_call: { tool: read_file, input: 7 } }'
    const good = '{ calls: [{ tool: list_files, input: {} }] }'
    const { result } = await runAgent(await scripted(`replies: [{ turns: [${bad}, ${bad}, ${good}, ${bad}, ${bad}, { text: Done. }] }]`))
    expect(result).toMatchObject({ status: 'completed', text: 'Done.' })
  })

  it('takes arguments that are a string of JSON', async () => {
    const turns = `{ raw_call: { tool: write_file, input: '{"path":"a.txt","content":"x"}' } }, { text: Done. }`
    const { workspace } = await runAgent(await scripted(`replies: [{ turns: [${turns}] }]`))
    expect(readFileSync(join(workspace.path, 'a.txt'), 'utf8')).toBe('x')
  })

  it('names the known tools, and the one that was probably meant', async () => {
    const provider = await scripted('replies: [{ turns: [{ calls: [{ tool: read_files, input: {} }] }, { text: ok }] }]')
    const { events } = await runAgent(provider)
    expect(events).toContainEqual({ type: 'acted', tool: 'read_files', target: '', ok: false, summary: 'malformed call of read_files' })
  })

  it('does not offer nor run a tool that the role may not use', async () => {
    const provider = await scripted(
      'replies: [{ turns: [{ calls: [{ tool: write_file, input: { path: a, content: b } }] }, { text: ok }] }]',
    )
    const { workspace, result } = await runAgent(provider, { role: makeRole({ permissions: { write: 'none' } }) })
    expect(result.status).toBe('completed')
    expect(existsSync(join(workspace.path, 'a'))).toBe(false)
  })

  it('validates the output and gives one repair turn', async () => {
    const replies = 'replies: [{ turns: [{ text: "I would do this" }, { text: "```json\\n{\\"parts\\": [\\"a\\"]}\\n```" }] }]'
    const { result } = await runAgent(await scripted(replies), { outputSchema: PLAN })
    expect(result).toMatchObject({ status: 'completed', output: { parts: ['a'] }, steps: 2 })
  })

  it('takes the output of finish, after one refusal', async () => {
    const replies = `replies: [{ turns: [${finish('{ parts: [] }')}, ${finish('{ parts: [x] }')}] }]`
    const { result, events } = await runAgent(await scripted(replies), { outputSchema: PLAN })
    expect(result).toMatchObject({ status: 'completed', output: { parts: ['x'] } })
    expect(events.find((it) => it.type === 'acted')).toMatchObject({ ok: false, summary: 'the answer has the wrong shape' })
  })

  it('fails as bad_output when the repaired answer is wrong too', async () => {
    const { result } = await runAgent(await scripted('replies: [{ turns: [{ text: no }, { text: "{\\"parts\\": 3}" }] }]'), {
      outputSchema: PLAN,
    })
    expect(result).toMatchObject({ status: 'failed', class: 'bad_output', output: null })
    expect(result.problem).toContain('parts: Invalid input: expected array, received number')
  })

  it('tells a model that it repeats itself, then ends it', async () => {
    const call = '{ calls: [{ tool: read_file, input: { path: a.txt } }] }'
    const { result } = await runAgent(await scripted(`replies: [{ turns: [${Array(6).fill(call).join(', ')}] }]`), {
      files: { 'a.txt': 'x' },
    })
    expect(result).toMatchObject({ status: 'failed', class: 'bad_output', steps: 4 })
    expect(result.problem).toBe('It called read_file (a.txt) again and again, with the same result.')
  })

  it('does not call it repeating when files changed in between', async () => {
    const test = '{ calls: [{ tool: run_command, input: { command: "false" } }] }'
    const turns = [test, edit(1), test, edit(2), test, edit(3), test, '{ text: Done. }'].join(', ')
    const { result } = await runAgent(await scripted(`replies: [{ turns: [${turns}] }]`))
    expect(result.status).toBe('completed')
  })
})

describe('the limits of a step', () => {
  const work =
    'replies: [{ turns: [{ calls: [{ tool: list_files, input: {} }] }, { calls: [{ tool: repo_map, input: {} }] }, { text: late }] }]'

  it('stops at the number of model steps, and names it', async () => {
    const { result } = await runAgent(await scripted(work), { limits: { steps: 2 } })
    expect(result).toMatchObject({ status: 'limited', problem: 'The limit of 2 model steps is reached.', class: null, steps: 2 })
  })

  it('stops at the number of steps of the role when that is less', async () => {
    const { result } = await runAgent(await scripted(work), { role: makeRole({ max_steps: 1 }) })
    expect(result.problem).toBe('The limit of 1 model steps is reached.')
  })

  it('stops when the tokens are spent', async () => {
    const { result } = await runAgent(await scripted(work), { limits: { tokens: 500 } })
    expect(result.status).toBe('limited')
    expect(result.problem).toMatch(/^The limit of 500 tokens leaves no room for the next call \(\d+ used, about \d+ to send\)\.$/)
    expect(result.steps).toBe(1)
  })

  it('lets no answer be longer than what the budget leaves', async () => {
    const seen: (number | undefined)[] = []
    const provider = made([{ type: 'text', text: 'ok' }, over('stop')])
    const spy = { ...provider, generate: (request: GenerateRequest) => (seen.push(request.maxOutputTokens), provider.generate(request)) }
    await runAgent(spy, { limits: { tokens: 2000 } })
    await runAgent(spy)
    expect(seen[0]).toBeGreaterThan(1000)
    expect(seen[0]).toBeLessThan(1900)
    expect(seen[1]).toBeUndefined()
  })

  it('stops when the money is spent', async () => {
    const provider = await scripted(work)
    const paid = {
      ...provider,
      async *generate(request: Parameters<typeof provider.generate>[0]) {
        for await (const event of provider.generate(request)) yield event.type === 'done' ? { ...event, cost: 0.6 } : event
      },
    }
    const { result } = await runAgent(paid, { limits: { usd: 1 } })
    expect(result).toMatchObject({ status: 'limited', problem: 'The limit of $1.00 is reached.', steps: 2, cost: 1.2 })
  })

  it('stops when the known money is spent, also after an answer whose cost nobody tells', async () => {
    const provider = await scripted(work)
    let asked = 0
    const paid = {
      ...provider,
      async *generate(request: Parameters<typeof provider.generate>[0]) {
        asked += 1
        const cost = asked === 1 ? null : 1.2
        for await (const event of provider.generate(request)) yield event.type === 'done' ? { ...event, cost } : event
      },
    }
    const { result } = await runAgent(paid, { limits: { usd: 1 } })
    expect(result).toMatchObject({ status: 'limited', problem: 'The limit of $1.00 is reached.', steps: 2, cost: null })
  })

  it('runs none of the calls of an answer that has very many', async () => {
    const call: ModelEvent = { type: 'call', call: { id: 'x', name: 'run_command', input: { command: 'echo >> ran' } } }
    const { result, workspace } = await runAgent(made([...Array.from({ length: 500 }, () => call), over('calls')]))
    expect(result).toMatchObject({ status: 'failed', class: 'bad_output' })
    expect(result.problem).toContain('more than 128 tool calls')
    expect(existsSync(join(workspace.path, 'ran'))).toBe(false)
  })

  it('stops when the time is over, also in the middle of a command', async () => {
    const provider = await scripted('replies: [{ turns: [{ calls: [{ tool: run_command, input: { command: "sleep 30" } }] }] }]')
    const began = Date.now()
    const { result } = await runAgent(provider, { limits: { timeoutMs: 300 } })
    expect(result).toMatchObject({ status: 'limited', problem: 'The time limit of 0.3 s is reached.' })
    expect(Date.now() - began).toBeLessThan(10_000)
  })

  it("runs commands in the agent's own environment", async () => {
    const workspace = folderWorkspace({})
    const mine = { ...workspace, agentEnv: { ...workspace.env, HOME: join(workspace.path, 'mine') } }
    const provider = await scripted(
      'replies: [{ turns: [{ calls: [{ tool: run_command, input: { command: "echo $HOME > home" } }] }, { text: ok }] }]',
    )
    await runAgent(provider, { workspace: mine })
    expect(readFileSync(join(workspace.path, 'home'), 'utf8')).toBe(`${mine.agentEnv.HOME}\n`)
  })

  it('ends at once when it is aborted, in a model call and in a command', async () => {
    const hanging = ['replies: [{ stall: 60s, text: x }]', 'replies: [{ calls: [{ tool: run_command, input: { command: "sleep 30" } }] }]']
    for (const replies of hanging) {
      const stop = new AbortController()
      setTimeout(() => stop.abort(new Error('enough')), 200)
      const began = Date.now()
      const { result } = await runAgent(await scripted(replies), { signal: stop.signal })
      expect(result).toMatchObject({ status: 'aborted', class: 'aborted', problem: 'The step was aborted.' })
      expect(Date.now() - began).toBeLessThan(10_000)
    }
  })
})

describe('a provider that fails', () => {
  it('ends the step with its class, problem and time', async () => {
    const { result } = await runAgent(await scripted('replies: [{ fail: rate_limited, retry_after: 120, problem: Quota used up. }]'))
    expect(result).toMatchObject({ status: 'failed', class: 'rate_limited', problem: 'Quota used up.' })
    expect(result.retryAt).toBeGreaterThan(Date.now() + 100_000)
  })

  it('keeps what was done and said before', async () => {
    const replies = 'replies: [{ turns: [{ text: first, calls: [{ tool: list_files, input: {} }] }, { garbage: true }] }]'
    const { result } = await runAgent(await scripted(replies))
    expect(result).toMatchObject({ status: 'failed', class: 'bad_output', text: 'first', steps: 2 })
  })

  it('stops an answer that never ends', async () => {
    const { result } = await runAgent(await scripted('replies: [{ text_bytes: 50000000 }]'))
    expect(result).toMatchObject({ status: 'failed', class: 'bad_output' })
    expect(result.problem).toMatch(/longer than 1048576 characters/)
  })

  it('asks again after an empty answer, and gives up after three', async () => {
    const fine = await runAgent(await scripted('replies: [{ turns: [{ text: "" }, { text: Done. }] }]'))
    expect(fine.result).toMatchObject({ status: 'completed', text: 'Done.' })
    const empty = await runAgent(await scripted('replies: [{ turns: [{ text: "" }, { text: "" }, { text: "" }] }]'))
    expect(empty.result).toMatchObject({ status: 'failed', class: 'bad_output', problem: 'The answer was empty, 3 times in a row.' })
  })

  it('turns a provider that throws into a result', async () => {
    const provider = await scripted('replies: [{ text: x }]')
    const broken = {
      ...provider,
      // oxlint-disable-next-line require-yield
      async *generate(): AsyncGenerator<never> {
        throw new Error('a defect')
      },
    }
    const { result } = await runAgent(broken)
    expect(result).toMatchObject({ status: 'failed', class: 'crashed', problem: 'a defect' })
  })
})
