import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import type { EventType, RunEvent } from '../core/event.ts'
import type { Json } from '../core/json.ts'
import { NO_LOG } from '../telemetry/logger.ts'
import { readTraceparent } from '../telemetry/trace-ids.ts'
import { createTraces, type SpanRecord } from '../telemetry/traces.ts'
import { createSpans } from './spans.ts'

const EVENTS: [EventType, Record<string, Json>, number][] = [
  ['step.started', { step: 'work', kind: 'agent', role: 'implementer' }, 1000],
  ['provider.chosen', { step: 'work', provider: 'claude', model: 'm1', reason: 'secret words' }, 1100],
  ['agent.said', { step: 'work', text: 'secret words' }, 1500],
  ['usage.reported', { step: 'work', provider: 'claude', model: 'm1', usage: { inputTokens: 5, outputTokens: 7 }, cost: 0.5 }, 2000],
  ['step.finished', { step: 'work', kind: 'agent', status: 'succeeded', summary: 'secret words' }, 3000],
  ['step.started', { step: 'gates', kind: 'gate' }, 3000],
  ['gate.finished', { step: 'gates', gate: 'tests', status: 'failed', durationMs: 400 }, 3500],
  ['step.failed', { step: 'gates', problem: 'secret words' }, 3600],
  ['run.finished', { status: 'failed', reason: 'gates', message: 'secret words' }, 4000],
]

async function spansOf(options: Record<string, Json> = {}): Promise<{ spans: SpanRecord[]; run: string }> {
  const store = await toyStore()
  const { id } = await toySubmit(store, 'toy', { options })
  const spans: SpanRecord[] = []
  const made = createSpans({ record: (it) => void spans.push(it) }, store)
  for (const [at, [type, data, ts]] of EVENTS.entries()) await made.add({ run: id, seq: at + 2, ts, type, data } satisfies RunEvent)
  return { spans, run: id }
}

it('makes spans of runs, steps, gates and calls, each below the one that it belongs to', async () => {
  const { spans, run } = await spansOf()
  const [call, work, gate, gates, whole] = spans
  expect(spans.map(({ name, start, end, failed }) => [name, start, end, failed])).toEqual([
    ['provider.call', 1000, 2000, null],
    ['step agent', 1000, 3000, null],
    ['gate tests', 3100, 3500, 'failed'],
    ['step gate', 3000, 3600, 'failed'],
    ['run', whole?.start, 4000, 'gates'],
  ])
  expect([call?.parent, work?.parent, gate?.parent, gates?.parent, whole?.parent]).toEqual([
    work?.id,
    whole?.id,
    gates?.id,
    whole?.id,
    null,
  ])
  expect(new Set(spans.map((it) => it.trace)).size).toBe(1)
  expect(whole?.attributes).toMatchObject({ 'reeve.run': run, 'reeve.status': 'failed' })
  expect(call?.attributes).toMatchObject({ 'gen_ai.usage.output_tokens': 7, 'reeve.cost_usd': 0.5 })
  expect(JSON.stringify(spans), 'nothing that was said').not.toContain('secret words')
})

it('belongs to the trace of who submitted the run', async () => {
  const { spans } = await spansOf({ trace: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' })
  expect(new Set(spans.map((it) => it.trace))).toEqual(new Set(['0af7651916cd43dd8448eb211c80319c']))
  expect(spans.at(-1)?.parent).toBe('b7ad6b7169203331')
})

it('takes a traceparent as it is written down and nothing else', () => {
  expect(readTraceparent('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00')?.span).toBe('b7ad6b7169203331')
  for (const wrong of ['', 'x', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n'])
    expect(readTraceparent(wrong)).toBeNull()
})

/** A collector that takes everything, or nothing. */
async function collector(status: number): Promise<{ endpoint: string; bodies: unknown[] }> {
  const bodies: unknown[] = []
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    bodies.push([request.url, await json(request)])
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
  }
  const server = createServer((request, response) => void take(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { endpoint: `http://127.0.0.1:${(server.address() as { port: number }).port}/`, bodies }
}

it('sends them to a collector by OTLP over HTTP', async () => {
  const { endpoint, bodies } = await collector(200)
  const traces = createTraces({ endpoint, version: '1.2.3', log: NO_LOG })
  const { spans } = await spansOf()
  for (const it of spans) traces.record(it)
  await traces.close()
  const [[url, body]] = bodies as [[string, { resourceSpans: { resource: unknown; scopeSpans: { spans: Record<string, unknown>[] }[] }[] }]]
  expect(url).toBe('/v1/traces')
  expect(JSON.stringify(body.resourceSpans[0]?.resource)).toContain('{"key":"service.name","value":{"stringValue":"reeve"}}')
  const sent = body.resourceSpans[0]?.scopeSpans[0]?.spans ?? []
  expect(sent.map((it) => [it['name'], it['traceId'], it['spanId']])).toEqual(spans.map((it) => [it.name, it.trace, it.id]))
  expect(sent[0]).toMatchObject({ parentSpanId: spans[1]?.id, startTimeUnixNano: '1000000000', endTimeUnixNano: '2000000000' })
})

it('drops what a collector does not take, and says so once', async () => {
  const said: string[] = []
  const log = { ...NO_LOG, warn: (message: string) => void said.push(message) }
  const { endpoint } = await collector(400)
  const traces = createTraces({ endpoint, version: '1.2.3', log })
  for (const it of (await spansOf()).spans) traces.record(it)
  await traces.close()
  expect(said).toEqual(['traces cannot be sent'])
})
