import type { Clock } from '../../core/clock.ts'
import { type FeedEvent, isOfTypes } from '../../core/event.ts'
import { type Redact, redactAll } from '../../core/redact.ts'
import type { Store } from '../../store/open.ts'
import type { Delivery } from '../../store/webhooks.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { type Sender, type Sent, send, type WebhookSettings } from './send.ts'

export interface WebhooksOptions {
  store: Store
  settings: Readonly<Record<string, WebhookSettings>>
  /** Where the keys of the signatures are. */
  env: Readonly<Record<string, string | undefined>>
  clock: Clock
  fetch: typeof fetch
  version: string
  redact: Redact
  log: Pick<Logger, 'info' | 'warn'>
}

/** Tells other programs of events: at least once each, in order, one at a time for each webhook. Goes on where the last process stopped. */
export interface Webhooks {
  start(): Promise<void>
  /** Lets go of what is being sent: the next process sends it again under the same id. */
  stop(): Promise<void>
}

const FIRST_PAUSE_MS = 5000
const GROWTH = 3
const LONGEST_PAUSE_MS = 3_600_000
// A receiver may ask for more, but not for ever.
const LONGEST_ASKED_MS = 24 * 3_600_000
const STORE_PAUSE_MS = 5000
// Events that are none of its own are written down together: a process that dies looks at so many again.
const PASSED_AT_ONCE = 1000
/** "Gone": the receiver wants nothing any more. */
const GONE = 410

export function createWebhooks(options: WebhooksOptions): Webhooks {
  const { store, settings, env, clock, log } = options
  const over = new AbortController()
  const loops: Promise<void>[] = []

  async function loop(name: string, hook: WebhookSettings, secret: string | null): Promise<void> {
    while (!over.signal.aborted) {
      try {
        if (!(await follow(name, hook, secret))) return
      } catch (error) {
        if (over.signal.aborted) return
        log.warn('a webhook goes on later', { webhook: name, problem: error })
        await clock.sleep(STORE_PAUSE_MS, over.signal).catch(() => undefined)
      }
    }
  }

  /** True: it was told to stop. False: the receiver wants nothing any more. */
  async function follow(name: string, hook: WebhookSettings, secret: string | null): Promise<boolean> {
    const passed = { count: 0, position: 0 }
    const pass = async () => {
      if (passed.count > 0) await store.webhooks.pass(name, passed.position)
      passed.count = 0
    }
    const after = (await store.webhooks.position(name)) ?? 0
    for await (const event of store.feed({ after, signal: over.signal })) {
      if (isWanted(hook, event)) {
        if (!(await deliver({ ...options, name, hook, secret, signal: over.signal }, event))) return false
        passed.count = 0
        continue
      }
      passed.position = event.position
      passed.count += 1
      if (passed.count === PASSED_AT_ONCE) await pass()
    }
    await pass()
    return true
  }

  return {
    async start() {
      await store.webhooks.begin(Object.keys(settings))
      for (const [name, hook] of Object.entries(settings)) {
        const secret = secretOf(hook, env)
        if (secret === undefined) log.warn('a webhook sends nothing: its key is not set', { webhook: name, variable: hook.secret_env })
        else loops.push(loop(name, hook, secret))
      }
      if (loops.length > 0) log.info('webhooks are told of events', { webhooks: loops.length })
    },
    async stop() {
      over.abort()
      await Promise.all(loops)
    },
  }
}

function isWanted({ events, projects }: WebhookSettings, { type, project }: FeedEvent): boolean {
  return isOfTypes(type, events) && (projects.length === 0 || projects.includes(project))
}

/** Null: its messages are not signed; undefined: they should be, but the key is not there. */
export function secretOf(hook: WebhookSettings, env: WebhooksOptions['env']): string | null | undefined {
  if (hook.secret_env === undefined) return null
  const secret = env[hook.secret_env] ?? ''
  return secret === '' ? undefined : secret
}

interface Delivering extends Sender, Pick<WebhooksOptions, 'store' | 'redact' | 'log'> {
  clock: Clock
  name: string
  hook: WebhookSettings
  secret: string | null
  signal: AbortSignal
}

/** Tries until it is taken or given up. False: the receiver wants nothing any more. */
async function deliver(by: Delivering, event: FeedEvent): Promise<boolean> {
  const { store, clock, name, hook, log, signal } = by
  const message = { id: messageOf(event), body: JSON.stringify(payloadOf(by, event)), secret: by.secret }
  const known = await store.webhooks.get(name, message.id)
  let delivery = known?.status === 'trying' ? known : begun(name, event, clock.now())
  for (;;) {
    if (delivery.nextAt !== null) await clock.sleep(Math.max(0, delivery.nextAt - clock.now()), signal)
    const sent = await send(hook, message, by, signal)
    delivery = { ...afterTry(delivery, sent, hook.max_tries, clock.now()) }
    await store.webhooks.keep(delivery, { done: delivery.status === 'delivered' || delivery.status === 'failed' })
    if (delivery.status === 'delivered') return true
    const fields = { webhook: name, message: message.id, tries: delivery.tries, problem: delivery.problem }
    if (delivery.status === 'failed') log.warn('an event could not be delivered; the webhook goes on with the next one', fields)
    if (delivery.status === 'failed') return true
    if (delivery.status === 'disabled') log.warn('a webhook is gone, and told nothing until the daemon is started again', fields)
    if (delivery.status === 'disabled') return false
  }
}

/** The same for all tries, also those of another process. */
function messageOf(event: FeedEvent): string {
  return `evt_${event.run}_${event.seq}`
}

function payloadOf({ redact }: Pick<Delivering, 'redact'>, event: FeedEvent) {
  const { type, run, project, position, seq, ts, data } = event
  return { id: messageOf(event), type, run, project, position, seq, ts, data: redactAll(data, redact) }
}

function begun(webhook: string, event: FeedEvent, now: number): Delivery {
  const { type, run, position } = event
  const untried = { tries: 0, answer: null, problem: null, createdAt: now, triedAt: now, nextAt: null }
  return { webhook, message: messageOf(event), type, run, position, status: 'trying', ...untried }
}

function afterTry(delivery: Delivery, sent: Sent, maxTries: number, now: number): Delivery {
  const tries = delivery.tries + 1
  const next = { ...delivery, tries, answer: sent.answer, problem: sent.problem, triedAt: now, nextAt: null }
  if (sent.problem === null) return { ...next, status: 'delivered' }
  if (sent.answer === GONE) return { ...next, status: 'disabled' }
  if (tries >= maxTries) return { ...next, status: 'failed' }
  return { ...next, status: 'trying', nextAt: now + pauseMs(tries, sent.retryAfterMs) }
}

/** Growing, uneven so that receivers that were down are not met by all at once, and never shorter than the receiver has asked for. */
function pauseMs(tries: number, asked: number | null): number {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * GROWTH ** (tries - 1))
  const uneven = pause * (0.8 + 0.4 * Math.random())
  return Math.round(Math.max(uneven, Math.min(asked ?? 0, LONGEST_ASKED_MS)))
}

/** What `webhooks test` sends. */
export function testMessage(id: string, now: number): { id: string; body: string } {
  const data = { message: 'A test of this webhook. Nothing has happened.' }
  return { id, body: JSON.stringify({ id, type: 'webhook.test', run: null, project: null, position: null, seq: null, ts: now, data }) }
}
