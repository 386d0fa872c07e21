import assert from 'node:assert/strict'
import { settingsSchema } from '../core/settings.ts'
import { createPluginProvider, type ProviderPlugin } from '../models/plugin.ts'
import type { GenerateRequest, ModelEvent, ModelProvider, ProviderErrorClass } from '../models/port.ts'
import type { Promised } from './promised.ts'

/** What the other side of a provider does once. */
export type Situation =
  /** Answers with the text "Good morning." and tells tokens. */
  | 'text'
  /** Answers with one call of the tool `look` with `{ at: [1] }`. */
  | 'call'
  /** Takes the request and says nothing. */
  | 'silence'
  /** Answers with what is no answer. */
  | 'garbage'
  /** Answers without end: more than 10 MB of text. */
  | 'flood'
  /** Refuses the key. */
  | 'unauthorized'
  | 'overloaded'
  /** Has had too many requests: again in 900 seconds. */
  | 'limited'
  /** Drops the connection. */
  | 'unreachable'
  /** The request is too long for the model. */
  | 'too-long'

export interface ProviderBench {
  /**
   * The provider with the other side in this situation, without retries and with an `idle_timeout_seconds` of at most 1. null: it cannot be
   * brought about; what needs it is not tried.
   */
  make(situation: Situation): Promise<ModelProvider | null>
}

/** A plug-in's model as reeve uses it, with settings as in `reeve.toml`: for `ProviderBench.make`. */
export function providerOver(plugin: ProviderPlugin, settings: { [key: string]: unknown } = {}): Promise<ModelProvider> {
  const given = { kind: 'plugin', module: './plugin.mjs', max_retries: 0, idle_timeout_seconds: 0.4, ...settings }
  const { plugin: parsed } = settingsSchema.parse({ providers: { plugin: given } }).providers
  if (parsed === undefined || Array.isArray(parsed)) throw new TypeError('the settings name no provider')
  return createPluginProvider(plugin, 'plugin', parsed, { env: process.env, projectRoot: process.cwd() })
}

const CLASSES: [Situation, ProviderErrorClass][] = [
  ['silence', 'timeout'],
  ['garbage', 'bad_output'],
  ['flood', 'bad_output'],
  ['unauthorized', 'auth'],
  ['overloaded', 'overloaded'],
  ['limited', 'rate_limited'],
  ['unreachable', 'network'],
  ['too-long', 'context_too_long'],
]

/** What every provider promises, as tests. */
export function providerPromises(bench: ProviderBench): Promised[] {
  const ask = async (situation: Situation, signal = new AbortController().signal): Promise<ModelEvent[] | null> => {
    const provider = await bench.make(situation)
    return provider === null ? null : endOf(await Array.fromAsync(provider.generate(request(signal))))
  }
  const promise = (name: string, situation: Situation, check: (events: ModelEvent[]) => void, signal?: () => AbortSignal): Promised => ({
    name,
    async run() {
      const events = await ask(situation, signal?.())
      if (events !== null) check(events)
    },
  })
  return [
    promise('answers with text, and counts it', 'text', answersWithText),
    promise('answers with calls', 'call', answersWithCalls),
    ...CLASSES.map(([situation, kind]) => promise(`${situation} ends as ${kind}`, situation, (events) => endsAs(events, kind))),
    promise('says until when it is limited', 'limited', saysUntilWhen),
    promise('ends at once when it is aborted before', 'text', (events) => endsAs(events, 'aborted'), AbortSignal.abort.bind(AbortSignal)),
    promise(
      'ends at once when it is aborted meanwhile',
      'silence',
      (events) => endsAs(events, 'aborted'),
      () => AbortSignal.timeout(100),
    ),
    {
      name: 'may be left in the middle',
      async run() {
        const provider = await bench.make('flood')
        for await (const event of provider?.generate(request(new AbortController().signal)) ?? []) {
          assert.equal(event.type, 'text')
          break
        }
      },
    },
    {
      name: 'is healthy without a paid call',
      async run() {
        const health = await (await bench.make('text'))?.health(AbortSignal.timeout(10_000))
        if (health === undefined) return
        assert.equal(health.ok, true, health.detail)
        assert.notEqual(health.detail, '')
      },
    },
  ]
}

function request(signal: AbortSignal): GenerateRequest {
  return {
    messages: [{ role: 'user', text: 'Say something.' }],
    tools: [{ name: 'look', description: 'Looks.', input: { type: 'object', properties: {} } }],
    origin: { run: 'r', task: 't', step: 's', role: 'implementer', attempt: 1, turn: 0 },
    signal,
  }
}

function endOf(events: ModelEvent[]): ModelEvent[] {
  const ends = events.filter((it) => it.type === 'done' || it.type === 'error')
  assert.deepEqual(ends, events.slice(-1), 'there is one end, and it comes last')
  assert.ok((ends[0]?.usage.requests ?? 0) <= 1, 'every call is counted once')
  return events
}

function answersWithText(events: ModelEvent[]): void {
  assert.equal(events.map((it) => (it.type === 'text' ? it.text : '')).join(''), 'Good morning.')
  const end = events.at(-1)
  assert.equal(end?.type === 'done' ? end.finish : problemIn(end), 'stop')
  assert.ok(end?.type === 'done' && end.usage.requests === 1 && end.usage.outputTokens > 0, 'one request with its tokens')
}

function answersWithCalls(events: ModelEvent[]): void {
  const [call] = events.flatMap((it) => (it.type === 'call' ? [it.call] : []))
  assert.deepEqual({ name: call?.name, input: call?.input }, { name: 'look', input: { at: [1] } }, problemIn(events.at(-1)))
  assert.notEqual(call?.id ?? '', '', 'a call has an id')
  const end = events.at(-1)
  assert.equal(end?.type === 'done' ? end.finish : end?.type, 'calls')
}

function endsAs(events: ModelEvent[], kind: ProviderErrorClass): void {
  const end = events.at(-1)
  assert.equal(end?.type === 'error' ? end.class : end?.type, kind, problemIn(end))
  assert.match(end?.type === 'error' ? end.problem : '', /\S/, 'the problem is said in words')
}

function saysUntilWhen(events: ModelEvent[]): void {
  const end = events.at(-1)
  const retryAt = end?.type === 'error' ? end.retryAt : undefined
  assert.ok(retryAt !== undefined && Math.abs(retryAt - Date.now() - 900_000) < 10_000, `retryAt is ${retryAt}`)
}

function problemIn(event: ModelEvent | undefined): string {
  return event?.type === 'error' ? `${event.class}: ${event.problem}` : `the end is ${event?.type ?? 'missing'}`
}
