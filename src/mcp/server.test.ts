import { Client as McpClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { describe, expect, it } from 'vitest'
import { legacyHost, modernHost, sharedProduct } from '../../test/support/mcp.ts'
import type { Client } from '../client/client.ts'
import { localUser } from '../core/actor.ts'
import { createMcpHttp } from './http.ts'

const NAMES = ['create', 'list', 'status', 'control', 'workspace', 'logs', 'run'].map((it) => `ai_coder_${it}`)
type Host = Awaited<ReturnType<typeof legacyHost>>

const shared = sharedProduct()

/** Calls a tool and gives what it says as data. */
async function call(host: Host, tool: string, args: Record<string, unknown> = {}): Promise<Record<string, never> & { runId: string }> {
  const result = await host.callTool({ name: `ai_coder_${tool}`, arguments: args })
  return result.structuredContent as Record<string, never> & { runId: string }
}

async function refusal(host: Host, tool: string, args: Record<string, unknown>): Promise<unknown> {
  const result = await host.callTool({ name: `ai_coder_${tool}`, arguments: args })
  expect(result.isError, JSON.stringify(result)).toBe(true)
  return (result.structuredContent as { error: unknown }).error
}

async function work(client: Client, run: string): Promise<void> {
  for await (const _ of client.stream('runs.work', { runs: [run] }));
}

/** A run that waits with a question. */
async function asking(host: Host, client: Client): Promise<string> {
  const { runId } = await call(host, 'create', { task: 'Ask me', workflow: 'asks' })
  await work(client, runId)
  return runId
}

const ASK = { capabilities: { elicitation: { form: {} } } }

describe('definitions', () => {
  it('are the same in both eras, in the same order, in less than 10 KB', async () => {
    const { client } = shared
    const legacy = await (await legacyHost(client)).listTools()
    const modern = await (await modernHost(client)).listTools()
    expect(legacy.tools.map((it) => it.name)).toEqual(NAMES)
    expect(modern.tools).toEqual(legacy.tools)
    expect(Buffer.byteLength(JSON.stringify(legacy.tools)), 'every host carries them in each prompt').toBeLessThan(10_000)
    for (const tool of legacy.tools) {
      expect(tool.outputSchema, tool.name).toMatchObject({ type: 'object', properties: { error: { type: 'object' } } })
      expect(tool.outputSchema, 'an error has to fit too').not.toHaveProperty('required')
      expect(Object.keys(tool.annotations ?? {}).length, tool.name).toBeGreaterThan(0)
    }
    const { properties } = legacy.tools.find((it) => it.name === 'ai_coder_status')?.inputSchema ?? {}
    expect(properties).toMatchObject({ coder_id: { deprecated: true } })
  })
})

describe.each([
  ['a handshake', legacyHost],
  ['2026-07-28', modernHost],
])('a host of %s', (era, open) => {
  it('starts a run, follows it to its end and reads what it has come to', async () => {
    const { client, project } = shared
    const host = await open(client)
    const result = await host.callTool({
      name: 'ai_coder_create',
      arguments: { task: 'Do it\nsoon', workflow: 'fine', idempotencyKey: era },
    })
    const { runId } = result.structuredContent as { runId: string }
    expect(result.structuredContent).toEqual({ runId, coder_id: runId, state: 'queued', pollAfterMs: 2000 })
    expect(result.content).toContainEqual(expect.objectContaining({ type: 'resource_link', uri: `reeve://runs/${runId}` }))
    expect(await call(host, 'create', { task: 'Do it', idempotencyKey: era }), 'the same key').toMatchObject({ runId })

    const queued = await call(host, 'status', { runId })
    expect(queued).toMatchObject({ state: 'queued', lastEvent: 1, events: [{ seq: 1, type: 'run.queued' }] })
    const next = call(host, 'status', { coder_id: runId, sinceEvent: 1, waitMs: 20_000 })
    await work(client, runId)
    expect((await next)['events'], 'the long poll has heard of it').toContainEqual(expect.objectContaining({ type: 'run.started' }))
    expect(await call(host, 'status', { runId })).toMatchObject({ state: 'succeeded', message: 'It is done.', pollAfterMs: 0 })

    expect(await call(host, 'status', { runId, sinceEvent: 0, waitMs: 25_000, until: 'rest' }), 'at once').toMatchObject({
      state: 'succeeded',
    })
    expect(await call(host, 'list', { status_filter: 'succeeded', limit: 1 })).toMatchObject({
      runs: [{ runId, coder_id: runId, title: 'Do it', state: 'succeeded', repository: project }],
    })
    expect(JSON.stringify(await call(host, 'list', { state: 'queued' }))).not.toContain(runId)
    const { text, cursor, done } = await call(host, 'logs', { runId })
    expect([done, text]).toEqual([
      true,
      expect.stringMatching(/^1 \d\d:\d\d:\d\d run\.queued task: do-it-\w+; workflow: fine\n[^]*run\.finished/),
    ])
    expect(await call(host, 'logs', { runId, cursor })).toEqual({ text: '', cursor, done: true })

    const read = async (uri: string) => (await host.readResource({ uri })).contents[0] as { text: string }
    expect(JSON.parse((await read(`reeve://runs/${runId}`)).text)).toMatchObject({ id: runId, status: 'succeeded' })
    expect((await read(`reeve://runs/${runId}/log`)).text).toContain('run.finished')
    expect((await read(`reeve://runs/${runId}/report`)).text).toContain('# Do it\n\nRun r')
    expect((await host.listResources()).resources).toContainEqual(expect.objectContaining({ uri: `reeve://runs/${runId}`, title: 'Do it' }))
    await expect(host.readResource({ uri: 'reeve://runs/r000' })).rejects.toThrow(/not found/i)
  })

  it('is told what is wrong with a call as data, with the next move', async () => {
    const { client } = shared
    const host = await open(client)
    expect(await refusal(host, 'status', { runId: 'nope' })).toEqual({
      code: 'run_not_found',
      message: 'No run "nope". List runs with: reeve ls',
      retryable: false,
    })
    expect(await refusal(host, 'create', { taks: 'x' })).toMatchObject({ message: 'ai_coder_create takes no "taks"; did you mean "task"?' })
    expect(await refusal(host, 'create', {})).toMatchObject({ message: expect.stringContaining('There is no task.') })
    expect(await refusal(host, 'status', {})).toMatchObject({ message: 'ai_coder_status: runId: is missing' })
    expect(await refusal(host, 'control', { runId: 'r', action: 'explode' })).toMatchObject({
      message: 'ai_coder_control: action: allowed: pause, resume, cancel, restart, send, priority, approve, reject, stop',
    })
    expect(await refusal(host, 'list', { cursor: 'x' })).toMatchObject({ code: 'invalid_input' })
  })

  it('stops a run only by saying so, as often as it likes', async () => {
    const { client } = shared
    const host = await open(client)
    const { runId } = await call(host, 'create', { task: 'Do it', workflow: 'hangs' })
    const leave = new AbortController()
    const polling = host.callTool(
      { name: 'ai_coder_status', arguments: { runId, sinceEvent: 1, waitMs: 25_000 } },
      { signal: leave.signal },
    )
    setTimeout(() => leave.abort(), 100)
    await expect(polling, 'the call is given up').rejects.toThrow()
    expect(await call(host, 'status', { runId }), 'the run is not').toMatchObject({ state: 'queued' })
    expect(await call(host, 'control', { runId, action: 'send', comment: 'Be quick' })).toMatchObject({ state: 'queued' })
    expect(await call(host, 'control', { runId, action: 'priority', priority: 5 })).toMatchObject({ state: 'queued' })
    for (const action of ['pause', 'pause', 'resume', 'resume'])
      expect(await call(host, 'control', { runId, action }), action).toMatchObject({ runId })
    for (const action of ['stop', 'cancel'])
      expect(await call(host, 'control', { runId, action }), action).toMatchObject({ state: 'cancelled' })
    const { runId: fresh, state } = await call(host, 'control', { runId, action: 'restart' })
    expect([fresh === runId, state]).toEqual([false, 'queued'])
  })

  it('decides nothing that a person has to, unless the configuration lets it', async () => {
    const { client } = shared
    const host = await open(client)
    const runId = await asking(host, client)
    const { approval } = await call(host, 'status', { runId })
    expect(approval).toEqual({
      id: 'land',
      text: 'Shall it land?',
      how: `a person decides: reeve approve ${runId}, or reeve reject ${runId}`,
    })
    expect(await refusal(host, 'control', { runId, action: 'approve', approvalId: 'land' })).toMatchObject({
      code: 'needs_person',
      message: expect.stringContaining(`Decide with: reeve approve ${runId}`),
    })
    expect(await refusal(host, 'control', { runId, action: 'approve' })).toMatchObject({ code: 'invalid_input' })
    expect(await call(host, 'status', { runId })).toMatchObject({ state: 'waiting', reason: 'approval' })
    // A no opens nothing.
    expect(await call(host, 'control', { runId, action: 'reject', approvalId: 'land', comment: 'no' })).toMatchObject({ state: 'queued' })
  })

  it('asks its person where it can, and what they say counts', async () => {
    const { client } = shared
    const host = await open(client, ASK)
    const asked: string[] = []
    let person: object = { action: 'decline' }
    host.setRequestHandler('elicitation/create', ({ params }) => {
      asked.push(params.message)
      return person as { action: 'decline' }
    })
    const runId = await asking(host, client)
    const approve = () => call(host, 'control', { runId, action: 'approve', approvalId: 'land' })
    expect(await approve()).toMatchObject({ state: 'waiting', decided: false })
    expect(asked[0]).toContain(`Run ${runId} (Ask me) asks: Shall it land?`)
    person = { action: 'accept', content: { decision: 'reject', comment: 'not today' } }
    expect(await approve(), 'the person says no where the model wanted a yes').toMatchObject({ state: 'queued' })
    await work(client, runId)
    expect(await call(host, 'status', { runId })).toMatchObject({ state: 'failed', message: 'You said no: not today' })

    const second = await asking(host, client)
    person = { action: 'accept', content: { decision: 'approve' } }
    expect(
      await refusal(host, 'control', { runId: second, action: 'approve', approvalId: 'plan' }),
      'a question that is not open',
    ).toMatchObject({
      code: 'wrong_state',
    })
    expect(asked).toHaveLength(2)
    expect(await call(host, 'control', { runId: second, action: 'approve', approvalId: 'land' })).toMatchObject({ state: 'queued' })
    await work(client, second)
    expect(await call(host, 'status', { runId: second })).toMatchObject({ state: 'succeeded', message: 'You said yes.' })
    // Again: the same answer, and nobody is asked.
    expect(await refusal(host, 'control', { runId: second, action: 'reject', approvalId: 'land' })).toMatchObject({ code: 'wrong_state' })
  })

  it('decides itself where the configuration says so', async () => {
    const client = shared.withEnv({ REEVE_MCP__APPROVE: 'true' })
    const host = await open(client, ASK)
    const runId = await asking(host, client)
    const approve = () => call(host, 'control', { runId, action: 'approve', approvalId: 'land' })
    expect(await approve()).toMatchObject({ state: 'queued' })
    await work(client, runId)
    expect(await approve(), 'again').toMatchObject({ state: 'succeeded' })
    expect(await refusal(host, 'control', { runId, action: 'reject', approvalId: 'land' }), 'another answer').toMatchObject({
      code: 'wrong_state',
    })
  })
})

describe('what goes over the wire', () => {
  it('carries nothing that a terminal or a model could be led by', async () => {
    const { client } = shared
    const host = await legacyHost(client)
    const { runId } = await call(host, 'create', { task: 'Do \u001b[31mit\u202e now', workflow: 'fine' })
    await client.call('runs.send', { run: runId, text: 'red \u001b]52;c;AAAA\u0007 \u202e\u{e0041}' })
    const texts = [
      await call(host, 'list'),
      await call(host, 'status', { runId }),
      await call(host, 'logs', { runId }),
      await host.readResource({ uri: `reeve://runs/${runId}/log` }),
      await host.readResource({ uri: `reeve://runs/${runId}` }),
      await host.readResource({ uri: `reeve://runs/${runId}/report` }),
      await host.listResources(),
    ].map((it) => JSON.stringify(it))
    for (const text of texts) expect(text).not.toMatch(/\\u001b|\u202e|\u{e0041}|\\u0007/u)
  })

  it('shows progress of a long poll to a host that wants it', async () => {
    const { client } = shared
    const host = await legacyHost(client, {}, { progressMs: 20 })
    const { runId } = await call(host, 'create', { task: 'Do it', workflow: 'fine' })
    const seen: number[] = []
    const onprogress = ({ progress }: { progress: number }) => void seen.push(progress)
    await host.callTool({ name: 'ai_coder_status', arguments: { runId, sinceEvent: 1, waitMs: 200 } }, { onprogress })
    expect(seen.slice(0, 3)).toEqual([1, 2, 3])
  })

  it('tells a host with a connection of changes to what it has subscribed to', async () => {
    const { client } = shared
    const host = await legacyHost(client)
    const { runId } = await call(host, 'create', { task: 'Do it', workflow: 'fine' })
    const uri = `reeve://runs/${runId}`
    const changed = new Promise((resolve) =>
      host.setNotificationHandler('notifications/resources/updated', ({ params }) => resolve(params.uri)),
    )
    await host.subscribeResource({ uri })
    await work(client, runId)
    expect(await changed).toBe(uri)
  })

  it('waits for the end of a run, not only for what comes next', async () => {
    const { client } = shared
    const host = await legacyHost(client)
    const { runId } = await call(host, 'create', { task: 'Do it', workflow: 'fine' })
    const ended = call(host, 'status', { runId, sinceEvent: 1, waitMs: 25_000, until: 'rest' })
    await work(client, runId)
    expect(await ended).toMatchObject({ state: 'succeeded', events: [{ type: 'run.started' }, {}, {}, { type: 'run.finished' }] })
  })

  it('cannot ask over HTTP with a handshake, so a person decides elsewhere', async () => {
    const { client } = shared
    const answer = createMcpHttp({ gateway: { as: () => client }, version: '1.2.3', secret: 'a secret' })
    const caller = { actor: localUser('ada'), cwd: null, env: null }
    const host = new McpClient({ name: 'older', version: '1' }, ASK)
    const fetch = (url: string | URL, init?: RequestInit) => answer(new Request(url, init), caller)
    await host.connect(new StreamableHTTPClientTransport(new URL('http://localhost/mcp'), { fetch }))
    const runId = await asking(host, client)
    expect(await refusal(host, 'control', { runId, action: 'approve', approvalId: 'land' })).toMatchObject({ code: 'needs_person' })
    expect(host.getServerCapabilities()?.resources?.subscribe).toBe(false)
    await host.close()
  })

  it('tells a host of 2026-07-28 over HTTP of changes to what it listens to, and follows nothing when it has left', async () => {
    const { client } = shared
    let open = 0
    async function* stream(...args: Parameters<Client['stream']>) {
      open += 1
      try {
        yield* client.stream(...args)
      } finally {
        open -= 1
      }
    }
    const counted = { ...client, stream: stream as Client['stream'] }
    const host = await modernHost(counted)
    const { runId } = await call(host, 'create', { task: 'Do it', workflow: 'fine' })
    const uri = `reeve://runs/${runId}`
    const changed = new Promise((resolve) =>
      host.setNotificationHandler('notifications/resources/updated', ({ params }) => resolve(params.uri)),
    )
    const subscription = await host.listen({ resourceSubscriptions: [uri] })
    await expect.poll(() => open).toBe(1)
    await work(client, runId)
    expect(await changed).toBe(uri)
    await subscription.close()
    await expect.poll(() => open).toBe(0)
  })
})
