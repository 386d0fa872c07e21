import { describe, expect, it } from 'vitest'
import { scripted } from '../../test/support/agent.ts'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { collect, providerSettings, textOf } from '../../test/support/provider.ts'
import { createProvider } from './create.ts'
import type { CallOrigin, ModelEvent, ModelProvider } from './port.ts'
import { parseReplies } from './scripted-file.ts'

function origin(over: Partial<CallOrigin> = {}): CallOrigin {
  return { run: 'r1', task: 't1', step: 'part-1/attempt-1/implement', role: 'implementer', attempt: 1, turn: 0, ...over }
}

async function say(provider: ModelProvider, over: Partial<CallOrigin> = {}): Promise<string> {
  return textOf(await collect(provider, { origin: origin(over) }))
}

async function end(provider: ModelProvider, over: Partial<CallOrigin> = {}): Promise<ModelEvent | undefined> {
  const events = await collect(provider, { origin: origin(over) })
  expect(events.filter((it) => it.type === 'done' || it.type === 'error')).toHaveLength(1)
  return events.at(-1)
}

describe('the choice of a scripted reply', () => {
  it('takes the first entry that fits role, step, task, attempt and turn', async () => {
    const provider = await scripted(`
replies:
  - { role: reviewer, text: for the reviewer }
  - { step: "part-*/attempt-2/*", text: by step }
  - { task: t9, text: by task }
  - { attempt: 3, text: by attempt }
  - { turn: 4, text: by turn }
  - { text: else }
`)
    expect(await say(provider, { role: 'reviewer', attempt: 3 })).toBe('for the reviewer')
    expect(await say(provider, { step: 'part-7/attempt-2/implement' })).toBe('by step')
    expect(await say(provider, { task: 't9' })).toBe('by task')
    expect(await say(provider, { attempt: 3 })).toBe('by attempt')
    expect(await say(provider, { turn: 4 })).toBe('by turn')
    expect(await say(provider)).toBe('else')
  })

  it('plays turns in order, then repeats the last text', async () => {
    const provider = await scripted('replies: [{ turns: [{ text: one }, { text: two }] }]')
    expect([await say(provider), await say(provider, { turn: 1 }), await say(provider, { turn: 9 })]).toEqual(['one', 'two', 'two'])
    const calls = await scripted('replies: [{ calls: [{ tool: list_files }] }]')
    expect(await say(calls, { turn: 1 })).toBe('Done.')
  })

  it('is the same for every process: nothing but the request decides', async () => {
    const provider = await scripted('replies: [{ turns: [{ text: one }, { text: two }] }]')
    expect([await say(provider, { turn: 1 }), await say(provider), await say(provider, { turn: 1 })]).toEqual(['two', 'one', 'two'])
  })

  it('refuses what nobody wrote a reply for, and names it', async () => {
    const provider = await scripted('replies: [{ role: architect, text: x }]')
    expect(await end(provider, { attempt: 2, turn: 5 })).toMatchObject({
      type: 'error',
      class: 'refused',
      problem: 'replies.yaml has no reply for role "implementer", step "part-1/attempt-1/implement", attempt 2, turn 5.',
    })
  })
})

describe('what a scripted reply can do', () => {
  it('calls tools, also with arguments that make no sense', async () => {
    const provider = await scripted(
      'replies: [{ text: I look., calls: [{ tool: read_file, input: { path: a } }], raw_call: { tool: x, input: "{" } }]',
    )
    const events = await collect(provider, { origin: origin() })
    expect(events.slice(0, 3)).toEqual([
      { type: 'text', text: 'I look.' },
      { type: 'call', call: { id: 'call-0-0', name: 'read_file', input: { path: 'a' } } },
      { type: 'call', call: { id: 'call-0-1', name: 'x', input: '{' } },
    ])
    expect(events.at(-1)).toMatchObject({ type: 'done', finish: 'calls', cost: 0 })
  })

  it('counts tokens by characters, or as it is told', async () => {
    const provider = await scripted(
      `replies: [{ turn: 0, text: ${'x'.repeat(36)} }, { text: x, usage: { input: 7, output: 8, cached: 2 } }]`,
    )
    // "You answer." and "Say something." are 25 characters.
    expect(await end(provider)).toMatchObject({ usage: { inputTokens: 7, outputTokens: 10, cachedInputTokens: 0, requests: 1 } })
    expect(await end(provider, { turn: 1 })).toMatchObject({
      usage: { inputTokens: 7, outputTokens: 8, cachedInputTokens: 2, requests: 1 },
    })
  })

  it('fails with a class, a sentence and a time', async () => {
    const provider = await scripted('replies: [{ turn: 0, fail: overloaded }, { fail: rate_limited, retry_after: 90, problem: Quota. }]')
    expect(await end(provider)).toMatchObject({ class: 'overloaded', problem: 'Scripted failure: overloaded.', cost: 0 })
    const event = await end(provider, { turn: 1 })
    expect(event).toMatchObject({ class: 'rate_limited', problem: 'Quota.' })
    expect((event as { retryAt: number }).retryAt).toBeGreaterThan(Date.now() + 80_000)
  })

  it('fails a number of times for the same call, then answers', async () => {
    const provider = await scripted('replies: [{ fail: overloaded, times: 2, text: at last }]')
    expect(await end(provider)).toMatchObject({ type: 'error' })
    expect(await end(provider, { run: 'r2' })).toMatchObject({ type: 'error' })
    expect(await end(provider)).toMatchObject({ type: 'error' })
    expect(await say(provider)).toBe('at last')
  })

  it('stalls, and is stopped by the idle time-out', async () => {
    const provider = await scripted('replies: [{ stall: 60s, text: late }]', { idle_timeout_seconds: 0.2 })
    const began = performance.now()
    expect(await end(provider)).toMatchObject({ class: 'timeout', problem: 'Nothing came for 0.2 s (idle_timeout_seconds).' })
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  it('waits, and ends at once when it is aborted', async () => {
    expect(await say(await scripted('replies: [{ delay: 20ms, text: later }]'))).toBe('later')
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    const events = await collect(await scripted('replies: [{ delay: 1m, text: x }]'), { origin: origin(), signal: stop.signal })
    expect(events).toMatchObject([{ type: 'error', class: 'aborted' }])
  })

  it('answers garbage, or too much', async () => {
    expect(await end(await scripted('replies: [{ garbage: true }]'))).toMatchObject({ class: 'bad_output' })
    const flood = await collect(await scripted('replies: [{ text_bytes: 50000000 }]'), { origin: origin() })
    expect(flood.at(-1)).toMatchObject({ class: 'bad_output', problem: 'The answer is longer than 1048576 characters.' })
    expect(textOf(await collect(await scripted('replies: [{ text_bytes: 100000 }]'), { origin: origin() }))).toHaveLength(100_000)
  })

  it('is healthy', async () => {
    const provider = await scripted('replies: [{ text: x }]')
    expect(await provider.health(new AbortController().signal)).toEqual({ ok: true, detail: '1 replies in replies.yaml' })
  })
})

describe('a file of replies', () => {
  const mistakes: [text: string, problem: string][] = [
    ['replies:\n  - rolle: x\n    text: y\n', 'f.yaml:2: replies.0: Unrecognized key: "rolle"'],
    ['replies:\n  - role: x\n', 'f.yaml:2: replies.0: says nothing: give "turns", or one turn such as "text"'],
    ['replies:\n  - role: x\n    turns:\n      - text: a\n      - stall: soon\n', 'f.yaml:5: replies.0.turns.1.stall: '],
    ['replies:\n  - fail: tired\n', 'f.yaml:2: replies.0.fail: Invalid option: expected one of "auth"'],
    ['replies:\n  - text: a\n    turns: [{ text: b }]\n', 'has both "turns" and a turn of its own'],
    ['replies:\n  - text: [a\n', 'f.yaml:3: Flow sequence'],
    ['replies:\n  - text: a\n    text: b\n', 'f.yaml:3: Map keys must be unique'],
    ['replies: []\n', 'f.yaml:1: replies: Too small'],
    [
      'a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n',
      'f.yaml: Excessive alias count',
    ],
    ['', 'f.yaml:1: Invalid input: expected object'],
  ]
  it.each(mistakes)('%j is refused with its line', (text, problem) => expect(() => parseReplies(text, 'f.yaml')).toThrow(problem))

  it('is named when it is missing', async () => {
    const projectRoot = temporaryFolder()
    const make = (over: { [key: string]: string }) =>
      createProvider('s', providerSettings({ kind: 'scripted', ...over }), { env: {}, projectRoot })
    await expect(make({})).rejects.toThrow('providers.s.file: a scripted provider needs the file of its replies')
    await expect(make({ file: 'none.yaml' })).rejects.toThrow('providers.s.file: "none.yaml" cannot be read: ENOENT')
    writeFiles(projectRoot, { 'ok.yaml': 'replies: [{ text: x }]' })
    await expect(make({ file: 'ok.yaml' })).resolves.toMatchObject({ name: 's', model: 'scripted' })
  })
})
