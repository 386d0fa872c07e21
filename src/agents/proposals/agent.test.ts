import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderWorkspace, makeRole, over } from '../../../test/support/agent.ts'
import { systemClock } from '../../core/clock.ts'
import type { Json } from '../../core/json.ts'
import { NO_USAGE } from '../../core/run.ts'
import { settingsSchema } from '../../core/settings.ts'
import type { GenerateRequest, ModelEvent, ModelProvider } from '../../models/port.ts'
import { runProgram } from '../../process/run-program.ts'
import { syntaxErrors } from '../../scanner/syntax.ts'
import type { AgentEvent, AgentRequest, AgentResult } from '../port.ts'
import { createProposalsAgent } from './agent.ts'

type Said = Json | ((request: GenerateRequest) => ModelEvent[] | Json | AsyncGenerator<ModelEvent>)
const FAR = 40_000

/** A model without tools that answers with these, the last one again and again; it keeps what it was asked. */
function answers(said: readonly Said[], contextTokens = FAR): ModelProvider & { asked: GenerateRequest[] } {
  const asked: GenerateRequest[] = []
  return {
    asked,
    name: 'local',
    model: 'tiny',
    capabilities: { tools: false, schema: true, contextTokens },
    async *generate(request) {
      asked.push(request)
      const next = said[Math.min(asked.length, said.length) - 1] ?? null
      const answer = typeof next === 'function' ? next(request) : next
      if (Array.isArray(answer)) yield* answer as ModelEvent[]
      else if (answer !== null && typeof answer === 'object' && Symbol.asyncIterator in answer) yield* answer
      else {
        yield { type: 'text', text: typeof answer === 'string' ? answer : JSON.stringify(answer) }
        yield over('stop')
      }
    },
    health: async () => ({ ok: true, detail: '' }),
  }
}

interface Ran {
  result: AgentResult
  events: AgentEvent[]
  acted: string[]
  read: (path: string) => string
  /** The text of each prompt, without the system's. */
  prompts: string[]
  model: ReturnType<typeof answers>
}

async function run(
  said: readonly Said[],
  files: Readonly<Record<string, string>> = {},
  more: Partial<Omit<AgentRequest, 'limits'>> & { limits?: Partial<AgentRequest['limits']>; contextTokens?: number } = {},
): Promise<Ran> {
  const { limits, contextTokens, ...rest } = more
  const workspace = folderWorkspace(files)
  const model = answers(said, contextTokens)
  const events: AgentEvent[] = []
  const agent = createProposalsAgent({
    provider: model,
    clock: systemClock,
    runProgram,
    syntaxErrors,
    repoMap: async () => '',
    fileRules: settingsSchema.parse({}).files,
  })
  const result = await agent.run({
    role: makeRole(),
    goal: '## The task\n\nMake it work.',
    workspace,
    isTestFile: (path) => path.includes('.test.'),
    protectedPaths: [],
    origin: { run: 'r', task: 't', step: 'implement', attempt: 1 },
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    ...rest,
    limits: { steps: 20, tokens: null, usd: null, timeoutMs: 20_000, commandTimeoutMs: 10_000, ...limits },
  })
  return {
    result,
    events,
    model,
    acted: events.flatMap((it) => (it.type === 'acted' ? [`${it.tool} ${it.target}: ${it.ok ? '' : 'not '}ok, ${it.summary}`] : [])),
    read: (path) => readFileSync(join(workspace.path, path), 'utf8'),
    prompts: model.asked.map((it) => it.messages.map((message) => (message.role === 'user' ? message.text : '')).join('')),
  }
}

const CODE = { 'src/a.ts': 'export function add(a: number, b: number) {\n  return a - b\n}\n', 'src/b.ts': 'export const b = 1\n' }
const FIX = { path: 'src/a.ts', find: 'return a - b', replace: 'return a + b' }

describe('a model that proposes edits', () => {
  it('changes files and ends with done', async () => {
    const { result, acted, read, events } = await run(
      [
        {
          summary: 'Adds.',
          edits: [FIX, { path: 'src/new.ts', content: 'export const n = 1\n' }, { path: 'src/b.ts', delete: true }],
          done: true,
        },
      ],
      CODE,
    )
    expect(result).toMatchObject({ status: 'completed', text: 'Adds.', steps: 1, problem: '', usage: { requests: 1 } })
    expect(read('src/a.ts')).toContain('return a + b')
    expect(read('src/new.ts')).toBe('export const n = 1\n')
    expect(() => read('src/b.ts')).toThrow(/ENOENT/)
    expect(acted).toEqual(['edit_file src/a.ts: ok, written', 'edit_file src/new.ts: ok, written', 'delete_file src/b.ts: ok, deleted'])
    expect(events.filter((it) => it.type === 'said')).toEqual([{ type: 'said', text: 'Adds.' }])
  })

  it('is asked with the schema of its role, and shown the files that the task names', async () => {
    const { model, prompts } = await run([{ summary: 'Nothing to do.' }], CODE, { goal: 'Mend `src/a.ts`, see src/none.ts.' })
    expect(model.asked[0]?.schema).toMatchObject({ properties: { edits: { type: 'array' } }, required: ['summary'] })
    expect(model.asked[0]).toMatchObject({ tools: [], origin: { role: 'implementer', turn: 0 } })
    expect(prompts[0]).toContain('## Files as they are now\n\n### src/a.ts (3 lines)\n```\nexport function add')
    expect(prompts[0]).not.toContain('src/b.ts')
  })

  it('gets what it wants to read with the next turn, as it is then', async () => {
    const { prompts, result, acted } = await run(
      [
        { summary: 'Looking.', read: ['src/a.ts:2-2', 'src/', 'src/none.ts'] },
        { summary: 'Mends.', edits: [FIX] },
        { summary: 'Fine.', done: true },
      ],
      CODE,
    )
    expect(result).toMatchObject({ status: 'completed', steps: 3, text: 'Fine.' })
    expect(prompts[1]).toContain('### src/a.ts (lines 2 to 2 of 3; ask for "src/a.ts:3" to see more)\n```\n  return a - b\n```')
    expect(prompts[1]).toContain('### files below src/ (2 lines)\n```\nsrc/a.ts\nsrc/b.ts\n```')
    expect(prompts[1]).toContain(
      '"src/none.ts" cannot be shown: there is no file "src/none.ts"; a folder, such as "src/", shows what is there.',
    )
    expect(prompts[2]).toContain('  return a + b')
    expect(prompts[2]).toContain('- Turn 2: Mends.\n  Files: src/a.ts (written)')
    expect(acted).toContain('read_file src/none.ts: not ok, not shown')
  })

  it('is told what could not be applied; of one file all edits are made or none', async () => {
    const { prompts, result, read } = await run(
      [
        {
          summary: 'One.',
          edits: [FIX, { path: 'src/a.ts', find: 'nowhere', replace: 'x' }, { path: 'src/b.ts', find: '= 1', replace: '= 2' }],
          done: true,
        },
        { summary: 'Two.', edits: [FIX], done: true },
      ],
      CODE,
    )
    expect(prompts[1]).toMatch(/src\/a\.ts was not changed: the text to replace .*None of the edits of this file was made\./s)
    expect(prompts[1], 'it has no tools').not.toContain('read_file')
    expect(prompts[1]).toContain('Files: src/b.ts (written)')
    expect(result).toMatchObject({ status: 'completed', steps: 2 })
    expect([read('src/a.ts').includes('a + b'), read('src/b.ts')]).toEqual([true, 'export const b = 2\n'])
  })

  it('comes to an end when it always says the same', async () => {
    const once = await run([{ summary: 'Mends.', edits: [{ path: 'src/b.ts', find: 'b = 1', replace: 'b = 1 + 1' }] }], CODE)
    expect(once.result).toMatchObject({ status: 'completed', steps: 2 })
    expect(once.read('src/b.ts'), 'applied once').toBe('export const b = 1 + 1\n')
    const reads = await run([{ summary: 'Looks.', read: ['src/a.ts'] }], CODE)
    expect(reads.result).toMatchObject({ status: 'completed', steps: 2 })
    const wrong = await run([{ summary: 'Mends.', edits: [{ ...FIX, find: 'nowhere' }] }], CODE)
    expect(wrong.result).toMatchObject({
      status: 'failed',
      class: 'bad_output',
      steps: 2,
      problem: expect.stringMatching(/^It gave the same answer again after it was told: src\/a\.ts was not changed/) as string,
    })
  })

  it('has nothing to do when its edits are in place already', async () => {
    const done = { ...CODE, 'src/a.ts': CODE['src/a.ts'].replace('a - b', 'a + b') }
    const { result, acted } = await run([{ summary: 'Mends.', edits: [FIX, { path: 'src/gone.ts', delete: true }] }], done)
    expect(result).toMatchObject({ status: 'completed', steps: 1 })
    expect(acted).toEqual([
      'edit_file src/a.ts: ok, unchanged: it is like that already',
      'edit_file src/gone.ts: ok, unchanged: it is like that already',
    ])
  })

  it('may change neither what its role may not nor break a file that parses', async () => {
    const { prompts, read } = await run(
      [
        {
          summary: 'All.',
          edits: [
            { path: 'src/a.test.ts', content: 'x' },
            { path: 'reeve.toml', content: 'x' },
            { path: '../out.ts', content: 'x' },
            { path: 'fixed.txt', content: 'x' },
            { path: 'src/a.ts', content: 'function (' },
          ],
        },
        { summary: 'Gives up.' },
      ],
      { ...CODE, 'fixed.txt': 'as it was' },
      { protectedPaths: ['fixed.txt'] },
    )
    expect(prompts[1]).toContain('src/a.test.ts was not changed: "src/a.test.ts" is a test file.')
    expect(prompts[1]).toContain('reeve.toml was not changed: "reeve.toml" configures reeve; nobody may change it in a run.')
    expect(prompts[1]).toMatch(/\.\.\/out\.ts was not changed: The path "\.\.\/out\.ts" is refused/)
    expect(prompts[1]).toContain('fixed.txt was not changed: "fixed.txt" is protected in this run')
    expect(prompts[1]).toMatch(/src\/a\.ts was not changed: with this change "src\/a\.ts" would no longer parse/)
    expect([read('fixed.txt'), read('src/a.ts')]).toEqual(['as it was', CODE['src/a.ts']])
  })

  it('gives up after answers that cannot be applied, and after one repair of a wrong shape', async () => {
    const edit = (at: number) => ({ summary: `${at}`, edits: [{ path: 'src/a.ts', find: `nowhere ${at}`, replace: '' }] })
    const edits = await run([1, 2, 3, 4, 5].map(edit), CODE)
    expect(edits.result).toMatchObject({ status: 'failed', class: 'bad_output', steps: 4 })
    expect(edits.result.problem).toMatch(/^4 answers in a row could not be applied\. The last: src\/a\.ts was not changed/)
    const shape = await run(['no json', { summary: 1 }])
    expect(shape.prompts[1]).toContain('Your answer was not used, it does not have the wanted shape')
    expect(shape.result).toMatchObject({ status: 'failed', class: 'bad_output', steps: 2 })
    expect(shape.result.problem).toMatch(/^The answer does not have the wanted shape: summary: /)
  })

  it('is told when its answer was cut, and that turns run out', async () => {
    const cut = (): ModelEvent[] => [{ type: 'text', text: '{"summary": "a' }, over('length')]
    const { result, prompts } = await run([cut])
    expect(prompts[1]).toContain('Your answer was cut at its limit of length and not used. Propose less at a time.')
    expect(result).toMatchObject({ status: 'failed', problem: 'The answer was cut at the output limit, 3 times in a row.' })
    const slow = await run(
      [0, 1, 2, 3].map((it) => ({ summary: '', read: [`src/a.ts:${it + 1}`] })),
      CODE,
      { limits: { steps: 3 } },
    )
    expect(slow.prompts[2]).toContain('(1 turn left. Finish with what you have.)')
    expect(slow.result).toMatchObject({ status: 'limited', limit: 'steps', problem: 'The limit of 3 model steps is reached.' })
  })
})

describe('the limits of a step', () => {
  const endless = [
    async function* (request: GenerateRequest): AsyncGenerator<ModelEvent> {
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve))
      yield { type: 'error', class: 'aborted', problem: 'stopped', usage: { ...NO_USAGE, requests: 1 }, cost: 0 }
    },
  ]

  it('end it when it is aborted, and when the time is over', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('enough')), 5)
    expect((await run(endless, {}, { signal: stop.signal })).result).toMatchObject({ status: 'aborted', class: 'aborted' })
    const late = await run(endless, {}, { limits: { timeoutMs: 5 } })
    expect(late.result).toMatchObject({ status: 'limited', limit: 'time', problem: 'The time limit of 0.005 s is reached.' })
  })

  it('hold for tokens: no call is made that has no room', async () => {
    const { result, model } = await run([{ summary: 'x', read: ['src/a.ts'] }], CODE, { limits: { tokens: 60 } })
    expect(model.asked).toEqual([])
    expect(result).toMatchObject({ status: 'limited', limit: 'tokens' })
    const some = await run([{ summary: 'x' }], CODE, { limits: { tokens: 5000 } })
    expect(some.model.asked[0]?.maxOutputTokens).toBeLessThan(5000)
  })
})

describe('roles that only read', () => {
  const reader = makeRole({ name: 'reviewer', permissions: { write: 'none' } })

  it('cannot propose edits', async () => {
    const { model, result, read } = await run([{ summary: 'It is src/a.ts.', edits: [FIX] }, { summary: 'It is line 2.' }], CODE, {
      role: reader,
    })
    expect(JSON.stringify(model.asked[0]?.schema)).not.toContain('edits')
    expect(result).toMatchObject({ status: 'completed', text: 'It is line 2.', steps: 2 })
    expect(read('src/a.ts')).toBe(CODE['src/a.ts'])
  })

  it('give an answer of the shape that was asked for, with one repair', async () => {
    const outputSchema = {
      type: 'object',
      properties: { summary: { type: 'string' }, count: { type: 'integer' } },
      required: ['summary', 'count'],
    }
    const { result, model } = await run([{ summary: 'x' }, { summary: 'Two parts.', count: 2 }], CODE, { role: reader, outputSchema })
    expect(model.asked.map((it) => it.schema)).toEqual([outputSchema, outputSchema])
    expect(result).toMatchObject({ status: 'completed', text: 'Two parts.', output: { summary: 'Two parts.', count: 2 }, steps: 2 })
  })
})

describe('a small context', () => {
  const map = Array.from({ length: 800 }, (_, at) => `src/f${at}.ts: function f${at}`).join('\n')
  const goal = `## The task\n\nMend src/a.ts and src/long.ts.\n\n## How it looks\n\n\`\`\`\n${map}\n\`\`\``
  const long = Array.from({ length: 2000 }, (_, at) => `const line${at} = ${at}`).join('\n')
  const files = { ...CODE, 'src/long.ts': `${long}\n` }

  it('holds the task, part of the map and of the files, and says what is missing', async () => {
    const { prompts, events, result, model } = await run([{ summary: 'Looks.', read: ['src/long.ts:1990'] }, { summary: 'Seen.' }], files, {
      goal,
      contextTokens: 4096,
    })
    const chars = model.asked[0]?.messages.reduce((sum, it) => sum + (it.role === 'tool' ? 0 : it.text.length), 0) ?? 0
    expect(chars).toBeLessThan(4096 * 0.75 * 3.6)
    expect(chars, 'the room is used').toBeGreaterThan(4096 * 0.75 * 3.6 * 0.8)
    expect(prompts[0]).toMatch(/\[\.\.\. \d+ lines left out here, for lack of room\]/)
    expect(prompts[0]).toContain('### src/a.ts (3 lines)')
    expect(prompts[0]).toMatch(/### src\/long\.ts \(lines 1 to \d+ of 2000; ask for "src\/long\.ts:\d+" to see more\)/)
    expect(prompts[1]).toContain('### src/long.ts (lines 1990 to 2000 of 2000)\n')
    expect(events.filter((it) => it.type === 'noticed')).toMatchObject([
      {
        level: 'warning',
        text: expect.stringMatching(/^local reads 4096 tokens at most \(context_tokens\) and is not shown \d+ lines of the maps/) as string,
      },
    ])
    expect(result.status).toBe('completed')
  })

  it('is tried with less when the model counts more tokens than expected', async () => {
    const tooLong = (request: GenerateRequest): ModelEvent[] | Json => {
      const tokens = request.messages.reduce((sum, it) => sum + (it.role === 'tool' ? 0 : it.text.length), 0)
      if (tokens <= 9000) return { summary: 'Fits.' }
      const problem = `The prompt has ${tokens} tokens and 9000 is the limit.`
      const usage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, requests: 1 }
      return [{ type: 'error', class: 'context_too_long', problem, usage, cost: 0 }]
    }
    const { result, model } = await run([tooLong], files, { goal, contextTokens: 12_000 })
    expect(result).toMatchObject({ status: 'completed', text: 'Fits.' })
    expect(model.asked.length).toBeGreaterThan(1)
    const never = await run([(request) => tooLong({ ...request, messages: [{ role: 'user', text: 'x'.repeat(9999) }] })], files, { goal })
    expect(never.result).toMatchObject({
      status: 'failed',
      class: 'context_too_long',
      problem: 'The prompt has 9999 tokens and 9000 is the limit.',
    })
  })

  it('that does not even hold the task is an error with both numbers', async () => {
    const { result, model } = await run([{ summary: '' }], files, { goal: 'word '.repeat(3000), contextTokens: 2048 })
    expect(model.asked).toEqual([])
    expect(result).toMatchObject({
      status: 'failed',
      class: 'context_too_long',
      problem: expect.stringMatching(
        /^The task needs about \d{4} tokens .*, the provider "local" has room for 1535 \(context_tokens\)\.$/,
      ) as string,
    })
  })
})
