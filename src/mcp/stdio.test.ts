import { PassThrough } from 'node:stream'
import { expect, it, onTestFinished } from 'vitest'
import { sharedProduct } from '../../test/support/mcp.ts'
import type { Client } from '../client/client.ts'
import { serveMcp } from './stdio.ts'

interface Message {
  id?: number
  method?: string
  result?: unknown
  params?: { uri?: string }
}

/** A host on the other end of the pipes. */
function plugIn(from: Client, resident = false) {
  const client = { ...from, resident }
  const [stdin, stdout] = [new PassThrough(), new PassThrough()]
  const said: Message[] = []
  const lines: string[] = []
  const logged: string[] = []
  let wake = (): void => undefined
  stdout.setEncoding('utf8')
  let rest = ''
  stdout.on('data', (text: string) => {
    const all = (rest + text).split('\n')
    rest = all.pop() ?? ''
    lines.push(...all)
    said.push(...all.map((it) => JSON.parse(it) as Message))
    wake()
  })
  const leave = new AbortController()
  const ended = serveMcp({ client, version: '1.2.3', stdin, stdout, log: (it) => logged.push(it), signal: leave.signal })
  onTestFinished(async () => {
    leave.abort()
    await ended
  })
  let id = 0
  async function heard(fits: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = said.find(fits)
      if (found) return found
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return {
    lines,
    logged,
    ended,
    close: () => stdin.end(),
    heard,
    async ask(method: string, params: object): Promise<never> {
      id += 1
      const asked = id
      stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: asked, method, params })}\n`)
      return (await heard((it) => it.id === asked)).result as never
    },
    send: (message: object) => stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`),
  }
}

const shared = sharedProduct()

const HELLO = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'host', version: '1' } }
const MODERN = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'host', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  },
}
const create = (workflow: string) => ({ name: 'ai_coder_create', arguments: { task: 'Do it', workflow } })

it('works on what a host asks for where there is no daemon, and ends when the host does', async () => {
  const { client } = shared
  const host = plugIn(client)
  expect(await host.ask('initialize', HELLO)).toMatchObject({ serverInfo: { name: 'reeve', version: '1.2.3' } })
  host.send({ method: 'notifications/initialized' })
  const { structuredContent: made } = (await host.ask('tools/call', create('fine'))) as { structuredContent: { runId: string } }
  for (let state = '', since = 0; state !== 'succeeded'; ) {
    const asked = { name: 'ai_coder_status', arguments: { runId: made.runId, sinceEvent: since, waitMs: 5000 } }
    const { structuredContent: now } = (await host.ask('tools/call', asked)) as { structuredContent: { state: string; lastEvent: number } }
    state = now.state
    since = now.lastEvent
  }
  host.close()
  await host.ended
  expect(host.logged).toEqual([])
})

it('leaves a run that has not ended where it is when the host ends', async () => {
  const { client } = shared
  const host = plugIn(client)
  await host.ask('initialize', HELLO)
  const { structuredContent: made } = (await host.ask('tools/call', create('hangs'))) as { structuredContent: { runId: string } }
  for await (const event of client.stream('runs.events', { run: made.runId, follow: true })) if (event.type === 'step.started') break
  host.close()
  await host.ended
  expect((await client.call('runs.get', { run: made.runId })).status).toBe('queued')
})

it('works on nothing where a daemon does', async () => {
  const { client } = shared
  const host = plugIn(client, true)
  await host.ask('initialize', HELLO)
  const { structuredContent: made } = (await host.ask('tools/call', create('fine'))) as { structuredContent: { runId: string } }
  host.close()
  await host.ended
  expect((await client.call('runs.get', { run: made.runId })).status).toBe('queued')
})

it('tells a host of 2026-07-28 of changes to what it listens to', async () => {
  const { client } = shared
  const host = plugIn(client, true)
  await host.ask('server/discover', MODERN)
  const { runs } = await client.call('runs.submit', { sentence: 'Do it', workflow: 'fine' })
  const run = runs[0]?.id ?? ''
  const uri = `reeve://runs/${run}`
  host.send({ id: 99, method: 'subscriptions/listen', params: { ...MODERN, notifications: { resourceSubscriptions: [uri] } } })
  await host.heard((it) => it.method === 'notifications/subscriptions/acknowledged')
  for await (const _ of client.stream('runs.work', { runs: [run] }));
  expect((await host.heard((it) => it.method === 'notifications/resources/updated')).params?.uri).toBe(uri)
})

it('answers what is no message without losing the host', async () => {
  const host = plugIn(shared.client)
  host.send({ nonsense: true })
  expect(await host.ask('initialize', HELLO)).toMatchObject({ serverInfo: { name: 'reeve' } })
  expect(host.lines.every((it) => it.startsWith('{"'))).toBe(true)
})
