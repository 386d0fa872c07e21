import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { temporaryFolder, writeFiles } from '../../../test/support/folder.ts'
import { type ClientTool, playSession } from '../../../test/support/scripted-client.ts'
import { type ScriptedServer, type ScriptedServerOptions, startScriptedServer } from './server.ts'

const DIALECTS = ['anthropic', 'openai-responses', 'openai-chat', 'google', 'ollama'] as const
const STEPS = [
  { read: 'sum.mjs' },
  { write: { path: 'sum.mjs', content: 'export const sum = (a, b) => a + b\n' } },
  { run: 'node test.mjs' },
  { say: 'DONE: the test passes.' },
]

async function started(options: ScriptedServerOptions): Promise<ScriptedServer> {
  const server = await startScriptedServer(options)
  onTestFinished(() => server.close())
  return server
}

function ask(server: ScriptedServer, body: unknown, path = '/v1/chat/completions'): Promise<Response> {
  return fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body) })
}

describe('a script', () => {
  for (const dialect of DIALECTS)
    for (const stream of [true, false])
      it(`is played in ${dialect}${stream ? '' : ', without a stream'}`, async () => {
        const server = await started({ steps: STEPS })
        const turns = await playSession({ url: server.url, dialect, stream, key: 'k1', prompt: 'Working directory: /repo\nFix it.' })
        expect(turns.flatMap((it) => it.calls.map(({ name, input }) => ({ name, input })))).toEqual([
          { name: 'Read', input: { file_path: '/repo/sum.mjs' } },
          { name: 'Write', input: { file_path: '/repo/sum.mjs', content: 'export const sum = (a, b) => a + b\n' } },
          { name: 'Bash', input: { command: 'node test.mjs', description: 'scripted step' } },
        ])
        expect(turns.map((it) => it.text)).toEqual(['Step 1: read.', 'Step 2: write.', 'Step 3: run.', 'DONE: the test passes.'])
        expect(server.log.map(({ step, key, model, status, stream: streams }) => ({ step, key, model, status, streams }))).toEqual(
          [0, 1, 2, 3].map((step) => ({
            step,
            key: 'k1',
            model: 'scripted',
            status: 200,
            streams: stream,
          })),
        )
      })

  it('counts 1000 and the step in, 50 out, or what it is told', async () => {
    const server = await started({ steps: [{ say: 'x', usage: { input: 7, output: 3, cached: 2, written: 1 } }] })
    const [turn] = await playSession({ url: server.url, dialect: 'anthropic', stream: false })
    expect(JSON.parse(turn?.body ?? '')).toMatchObject({
      usage: { input_tokens: 4, cache_read_input_tokens: 2, cache_creation_input_tokens: 1, output_tokens: 3 },
    })
    const plain = await started({ steps: STEPS })
    const turns = await playSession({ url: plain.url, dialect: 'openai-chat', stream: false })
    expect(turns.map((it) => JSON.parse(it.body).usage.prompt_tokens)).toEqual([1000, 1001, 1002, 1003])
  })

  it('answers what asks for a title, or for something else, in passing', async () => {
    const server = await started({ scenes: [{ when: 'our task', steps: STEPS }] })
    const [other] = await playSession({ url: server.url, dialect: 'anthropic', prompt: 'Warm up.' })
    expect(other).toMatchObject({ text: 'Scripted.', calls: [] })
    const [title] = await playSession({ url: server.url, dialect: 'openai-chat', prompt: 'our task', tools: [] })
    expect(title).toMatchObject({ text: 'Scripted.', calls: [] })
    expect(server.log.map((it) => it.side)).toEqual([true, true])
  })

  it('has a scene for each role, and begins at its first step when a session goes on with another prompt', async () => {
    const server = await started({
      scenes: [
        { when: 'last attempt', steps: [{ say: 'mended' }] },
        { when: 'Architect', steps: [{ answer: { parts: [] } }] },
        { when: 'Implementer', steps: STEPS },
      ],
    })
    const user = (content: string) => ({ role: 'user', content })
    const tools = [
      { type: 'function', function: { name: 'bash', parameters: { type: 'object', properties: { command: { type: 'string' } } } } },
    ]
    const say = async (messages: unknown[]) => {
      const reply = (await (await ask(server, { model: 'm', tools, messages })).json()) as { choices: { message: unknown }[] }
      return reply.choices[0]?.message
    }
    expect(await say([{ role: 'system', content: 'You are the Architect.' }, user('Plan.')])).toMatchObject({ content: '{"parts":[]}' })
    const first = [user('Implementer: do it.'), { role: 'tool', content: 'x' }, { role: 'tool', content: 'x' }]
    expect(await say(first)).toMatchObject({ tool_calls: [{ function: { arguments: '{"command":"node test.mjs"}' } }] })
    expect(await say([...first, user('Implementer: mend what the last attempt left.')])).toMatchObject({ content: 'mended' })
    expect(server.log.map((it) => [it.scene, it.step])).toEqual([
      [1, 0],
      [2, 2],
      [0, 0],
    ])
  })

  it('is read from a file, and its mistakes are named', async () => {
    const folder = temporaryFolder()
    writeFiles(folder, {
      'ok.yaml': 'steps: [{ say: hello }]\nbehaviour: [{ on: [1], fault: rate_limited, retry_after: 7 }]\n',
      'two.yaml': 'steps: [{ say: a, run: b }]\n',
      'none.yaml': 'behaviour: []\n',
      'bad.yaml': 'scenes: [{ when: "(", steps: [{ say: a }] }]\n',
    })
    const server = await started({ file: `${folder}/ok.yaml` })
    const [turn] = await playSession({ url: server.url, dialect: 'google' })
    expect([turn?.status, turn?.headers.get('retry-after')]).toEqual([429, '7'])
    await expect(startScriptedServer({ file: `${folder}/two.yaml` })).rejects.toThrow(
      'two.yaml: steps.0: give exactly one of read, edit, write, run, call, say, answer, refuse',
    )
    await expect(startScriptedServer({ file: `${folder}/none.yaml` })).rejects.toThrow('none.yaml: has neither "steps" nor "scenes"')
    await expect(startScriptedServer({ file: `${folder}/bad.yaml` })).rejects.toThrow(
      'bad.yaml: scenes.0.when: is not a regular expression',
    )
    await expect(startScriptedServer({ file: `${folder}/away.yaml` })).rejects.toThrow('ENOENT')
  })
})

describe('a step', () => {
  const edit = { edit: { path: 'a.ts', old: "it's", new: 'b' } }
  const object = (properties: { [name: string]: unknown }, required: string[] = Object.keys(properties)) => ({
    type: 'object',
    properties,
    required,
  })
  const string = { type: 'string' }
  const tools: Record<string, ClientTool[]> = {
    gemini: [{ name: 'replace', schema: object({ file_path: string, instruction: string, old_string: string, new_string: string }) }],
    opencode: [
      {
        name: 'edit',
        schema: object({ filePath: string, oldString: string, newString: string, replaceAll: { type: 'boolean' } }, ['filePath']),
      },
    ],
    copilot: [{ name: 'edit', schema: object({ path: string, old_str: string, new_str: string }, ['path']) }],
    pi: [{ name: 'edit', schema: object({ path: string, edits: { type: 'array', items: object({ oldText: string, newText: string }) } }) }],
    cline: [
      {
        name: 'editor',
        schema: object({ path: string, new_text: string, old_text: string, insert_line: { type: 'number' } }, ['path', 'new_text']),
      },
    ],
    codex: [{ name: 'exec_command', schema: object({ cmd: string, workdir: string }, ['cmd']) }],
    reeve: [{ name: 'edit_file', schema: object({ path: string, old: string, new: string }) }],
  }
  const expected: Record<string, unknown> = {
    gemini: { file_path: 'a.ts', instruction: 'scripted step', old_string: "it's", new_string: 'b' },
    opencode: { filePath: 'a.ts', oldString: "it's", newString: 'b' },
    copilot: { path: 'a.ts', old_str: "it's", new_str: 'b' },
    pi: { path: 'a.ts', edits: [{ oldText: "it's", newText: 'b' }] },
    cline: { path: 'a.ts', new_text: 'b', old_text: "it's" },
    codex: { cmd: expect.stringMatching(/^node -e .* 'a\.ts' 'it'\\''s' 'b'$/) },
    reeve: { path: 'a.ts', old: "it's", new: 'b' },
  }
  it.each(Object.keys(tools))('is put into the words of the tools of %s', async (program) => {
    const server = await started({ steps: [edit, { say: 'x' }] })
    const [turn] = await playSession({ url: server.url, dialect: 'openai-chat', tools: tools[program] ?? [] })
    expect(turn?.calls.map((it) => it.input)).toEqual([expected[program]])
  })

  const folders = [
    'Working directory: /repo',
    "I'm currently working in the directory: /repo\nHere is more",
    '<environment_context>\n  <cwd>/repo</cwd>\n</environment_context>',
    '* Current working directory: `/repo`.',
    'Primary working directory: /repo',
    '# Current Working Directory (/repo) Files',
    'WORKDIR=/repo Fix it.',
  ]
  it.each(folders)('is about a file in the folder that the program tells: %j', async (prompt) => {
    const server = await started({ steps: [{ read: 'a.ts' }] })
    const [turn] = await playSession({ url: server.url, dialect: 'openai-chat', prompt })
    expect(turn?.calls[0]?.input).toEqual({ file_path: '/repo/a.ts' })
  })

  it('takes several files or commands where the tool wants lists', async () => {
    const lists = [
      { name: 'read_files', schema: object({ files: { type: 'array', items: object({ path: string }) } }) },
      { name: 'run_commands', schema: object({ commands: { type: 'array', items: string } }) },
    ]
    const server = await started({ steps: [{ read: 'a' }, { run: 'b' }, { write: { path: 'c/d', content: 'e\n' } }, { say: 'x' }] })
    const turns = await playSession({ url: server.url, dialect: 'anthropic', tools: lists })
    expect(turns.flatMap((it) => it.calls.map(({ input }) => input))).toEqual([
      { files: [{ path: 'a' }] },
      { commands: ['b'] },
      { commands: [`mkdir -p 'c' && printf '%s' 'e\n' > 'c/d'`] },
    ])
  })

  it('hands data over by the tool for that, else as text', async () => {
    const server = await started({ steps: [{ answer: { a: 1 } }] })
    const finish = { name: 'finish', schema: object({ output: { type: 'object' }, summary: string }, ['output']) }
    const [tool] = await playSession({ url: server.url, dialect: 'openai-chat', tools: [finish] })
    expect(tool?.calls[0]?.input).toEqual({ output: { a: 1 } })
    const [own] = await playSession({ url: server.url, dialect: 'openai-chat', tools: [{ name: 'StructuredOutput', schema: object({}) }] })
    expect(own?.calls[0]?.input).toEqual({ a: 1 })
    const [text] = await playSession({ url: server.url, dialect: 'openai-chat' })
    expect(text).toMatchObject({ text: '{"a":1}', calls: [] })
  })

  it('says so when there is no tool for it', async () => {
    const server = await started({ steps: [{ run: 'x' }] })
    const [turn] = await playSession({ url: server.url, dialect: 'openai-chat', tools: [{ name: 'think', schema: {} }] })
    expect(turn).toMatchObject({ text: 'I have no tool to run.', calls: [] })
  })
})

describe('a behaviour', () => {
  const statuses = [
    ['auth', 401],
    ['forbidden', 403],
    ['not_found', 404],
    ['context_too_long', 400],
    ['rate_limited', 429],
    ['quota', 429],
    ['server', 500],
    ['unavailable', 503],
  ] as const
  it.each(statuses)('%s has its status in every dialect', async (fault, status) => {
    const server = await started({ steps: STEPS, behaviour: { fault } })
    for (const dialect of DIALECTS) {
      const [turn] = await playSession({ url: server.url, dialect })
      expect([dialect, turn?.status]).toEqual([dialect, status])
      expect(turn?.headers.get('retry-after')).toBe(fault === 'rate_limited' ? '2' : null)
    }
  })

  it('is over after so many times', async () => {
    const server = await started({ steps: STEPS, behaviour: [{ fault: 'overloaded', times: 2 }] })
    const play = async () => (await playSession({ url: server.url, dialect: 'anthropic' })).at(-1)
    expect([(await play())?.status, (await play())?.status, (await play())?.text]).toEqual([529, 529, 'DONE: the test passes.'])
  })

  it('cuts, breaks and stalls streams, refuses, and drops connections', async () => {
    const behaviour = (['cut', 'malformed', 'refusal', 'reset', 'stall', 'stall_in_stream'] as const).map((fault, at) => ({
      fault,
      on: [at + 1],
    }))
    const server = await started({ steps: STEPS, behaviour })
    const url = `${server.url}/v1/messages`
    const body = JSON.stringify({ model: 'm', stream: true, tools: [{ name: 'Read', input_schema: {} }], messages: [] })
    const post = (signal?: AbortSignal) => fetch(url, { method: 'POST', body, ...(signal ? { signal } : {}) })
    const cut = await post()
    await expect(cut.text()).rejects.toThrow('terminated')
    expect(await (await post()).text()).toContain('<html>')
    expect(await (await post()).text()).toContain('"stop_reason":"refusal"')
    await expect(post()).rejects.toThrow('fetch failed')
    const stop = new AbortController()
    const waiting = post(stop.signal)
    await vi.waitFor(() => expect(server.log.at(-1)?.fault).toBe('stall'))
    stop.abort()
    await expect(waiting).rejects.toThrow('abort')
    const stalled = await post()
    const reader = stalled.body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain('message_start')
    expect(server.log.map((it) => it.fault)).toEqual(['cut', 'malformed', 'refusal', 'reset', 'stall', 'stall_in_stream'])
  })
})

describe('the server', () => {
  it('lets only one key in when it is told which', async () => {
    const server = await started({ steps: STEPS, key: 'right' })
    for (const dialect of ['anthropic', 'openai-chat', 'google'] as const) {
      expect((await playSession({ url: server.url, dialect, key: 'wrong' })).at(-1)?.status).toBe(401)
      expect((await playSession({ url: server.url, dialect, key: 'right' })).at(-1)?.status).toBe(200)
    }
    expect((await fetch(`${server.url}/v1/models`)).status).toBe(401)
    expect((await fetch(`${server.url}/v1beta/models?key=right`)).status).toBe(200)
  })

  it('lists its models in every form, and knows nothing else', async () => {
    const server = await started({ steps: STEPS, models: ['m1'], contextTokens: 4096 })
    const get = async (path: string) => (await fetch(`${server.url}${path}`)).json()
    expect(await get('/v1/models')).toMatchObject({ data: [{ id: 'm1' }] })
    expect(await get('/v1beta/models')).toMatchObject({ models: [{ name: 'models/m1' }] })
    expect(await get('/api/tags')).toMatchObject({ models: [{ name: 'm1' }] })
    expect(await get('/api/version')).toMatchObject({ version: expect.any(String) })
    expect(await (await ask(server, { model: 'm1' }, '/api/show')).json()).toMatchObject({
      model_info: { 'scripted.context_length': 4096 },
    })
    expect((await fetch(`${server.url}/telemetry`, { method: 'POST' })).status).toBe(404)
  })
})
