import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { ReeveError } from '../../core/errors.ts'
import type { Delivery } from '../../store/webhooks.ts'
import { type Context, settingsOf } from '../context.ts'
import { operation } from '../operation.ts'
import { secretOf, testMessage } from './create.ts'
import { send, type WebhookSettings } from './send.ts'

const STATUSES = ['trying', 'delivered', 'failed', 'disabled'] as const

const deliverySchema = z.object({
  webhook: z.string(),
  message: z.string().describe('The webhook-id of all its tries.'),
  type: z.string(),
  run: z.string(),
  position: z.int(),
  status: z.enum(STATUSES),
  tries: z.int(),
  answer: z.int().nullable().describe('Status of the last answer; null: none came.'),
  problem: z.string().nullable(),
  createdAt: z.number(),
  triedAt: z.number(),
  nextAt: z.number().nullable().describe('Epoch ms of the next try.'),
}) satisfies z.ZodType<Delivery>

const webhookSchema = z.object({
  name: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  projects: z.array(z.string()),
  signed: z.boolean(),
  position: z.int().nullable().describe('Every event up to it is dealt with; null: no daemon has worked for it yet.'),
  last: deliverySchema.nullable(),
  problems: z.array(z.string()).describe('Why it may not be told what it should be.'),
})

export const webhooksList = operation({
  name: 'webhooks.list',
  route: 'GET /api/v1/webhooks',
  summary: 'Lists the webhooks of your configuration, and how far each has come.',
  permission: 'webhooks:read',
  effect: 'read',
  input: z.object({}),
  output: z.object({ webhooks: z.array(webhookSchema) }),
  async handler(context) {
    const [store, all] = [await context.store(), await configured(context)]
    const webhooks = await Promise.all(
      Object.entries(all).map(async ([name, hook]) => {
        const [last = null] = await store.webhooks.list({ webhook: name, limit: 1 })
        const gone = last?.status === 'disabled' ? ['it answered 410: it is told nothing until the daemon is started again'] : []
        const { url, events, projects } = hook
        const unset = secretOf(hook, context.env) === undefined ? [`the variable ${hook.secret_env} is not set`] : []
        const problems = [...gone, ...unset]
        return {
          name,
          url,
          events,
          projects,
          signed: hook.secret_env !== undefined,
          position: await store.webhooks.position(name),
          last,
          problems,
        }
      }),
    )
    return { webhooks }
  },
})

export const webhooksDeliveries = operation({
  name: 'webhooks.deliveries',
  route: 'GET /api/v1/webhooks/deliveries',
  summary: 'Lists what was sent to webhooks, the newest first.',
  permission: 'webhooks:read',
  effect: 'read',
  input: z.object({
    webhook: z.string().optional().describe('Only to this one.'),
    limit: z.int().min(1).max(1000).default(50),
  }),
  output: z.object({ deliveries: z.array(deliverySchema) }),
  async handler(context, { webhook, limit }) {
    if (webhook !== undefined) await named(context, webhook)
    const store = await context.store()
    return { deliveries: await store.webhooks.list({ limit, ...(webhook === undefined ? {} : { webhook }) }) }
  },
})

export const webhooksTest = operation({
  name: 'webhooks.test',
  route: 'POST /api/v1/webhooks/{webhook}/test',
  summary: 'Sends one message of the type "webhook.test" to a webhook, once, and tells how it was taken.',
  permission: 'webhooks:admin',
  effect: 'write',
  input: z.object({ webhook: z.string().describe('Its name in your configuration.') }),
  output: z.object({ webhook: z.string(), message: z.string(), answer: z.int().nullable(), problem: z.string().nullable() }),
  async handler(context, { webhook }, signal) {
    const hook = await named(context, webhook)
    const secret = secretOf(hook, context.env)
    const message = testMessage(`test_${randomUUID()}`, context.clock.now())
    if (secret === undefined) {
      return { webhook, message: message.id, answer: null, problem: `nothing was sent: the variable ${hook.secret_env} is not set` }
    }
    const { answer, problem } = await send(hook, { ...message, secret }, { fetch, clock: context.clock, version: context.version }, signal)
    return { webhook, message: message.id, answer, problem }
  },
})

/** Webhooks are the user's own: a project has none. */
async function configured(context: Context): Promise<Readonly<Record<string, WebhookSettings>>> {
  return (await settingsOf(context, null)).settings.webhooks
}

/** Throws `webhook_not_found`. */
async function named(context: Context, name: string): Promise<WebhookSettings> {
  const all = await configured(context)
  const hook = Object.hasOwn(all, name) ? all[name] : undefined
  if (hook) return hook
  throw new ReeveError('webhook_not_found', { webhook: name, known: Object.keys(all).join(', ') || 'none' })
}
