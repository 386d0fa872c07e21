import { z } from 'zod'
import { providersOf } from '../config/secrets.ts'
import { isOwner } from '../core/actor.ts'
import { ReeveError } from '../core/errors.ts'
import type { ProviderSettings, Settings } from '../core/settings.ts'
import { isFree, priceOf } from '../models/prices.ts'
import type { Project } from '../workspace/port.ts'
import { type Context, projectOf, settingsOf } from './context.ts'
import { operation } from './operation.ts'
import { projectInput } from './shapes.ts'
import { privilegedChoice } from './submit-checks.ts'
import { checkTrust, consentSentence, untrusted } from './trust.ts'

const providerView = z.object({
  name: z.string(),
  kind: z.string(),
  model: z.string().nullable(),
  /** Address, path of the program, file. */
  place: z.string().nullable(),
  version: z.string().nullable(),
  /** How it is let in. */
  access: z.enum(['key', 'login', 'none', 'missing']),
  usable: z.boolean(),
  detail: z.string(),
  hint: z.string().nullable(),
  /** `open`: left alone until `until` after failures, or until a limit is over. `half-open`: the next run tries it. `trying`: one does. */
  breaker: z.object({
    state: z.enum(['closed', 'open', 'half-open', 'trying']),
    until: z.number().nullable(),
    problem: z.string().nullable(),
  }),
  /** Is what it costs known? `free`: nothing is paid for it. A budget of money counts what is unknown as all that was reserved. */
  pricing: z.enum(['free', 'known', 'unknown']),
  limits: z.object({ concurrent: z.int().nullable(), requests_per_minute: z.int().nullable(), tokens_per_minute: z.int().nullable() }),
})

export const providersList = operation({
  name: 'providers.list',
  route: 'GET /api/v1/providers',
  summary: 'Lists the configured providers in the order they are asked: version, log-in, health, limits.',
  permission: 'providers:read',
  effect: 'read',
  input: z.object({
    project: projectInput,
    ask: z.boolean().default(true).describe('Also ask servers whether they are there, which costs nothing.'),
  }),
  output: z.object({ providers: z.array(providerView) }),
  async handler(context, input, signal) {
    const project = await projectOf(context, input.project)
    const { settings, consents } = await settingsOf(context, project.root)
    const open = await untrusted(context, project.root, consents)
    const owner = isOwner(context.caller)
    const health = await context.kit.router.health(settings)
    const views = await Promise.all(
      inOrder(settings).map(async ([name, provider]) => {
        const consent = open.find((it) => it.provider === name)
        // Asking it could send what the user has not agreed to.
        const found = consent
          ? { ...UNASKED, detail: `not asked: ${consentSentence(consent)}` }
          : await context.kit.inspect(name, settings, project, {
              ask: input.ask && owner,
              signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]),
            })
        return {
          name,
          kind: provider.kind,
          ...(({ ok, ...rest }) => ({ usable: ok, ...rest }))(found),
          // Where programs and servers of this machine are is for nobody else to know.
          ...(owner ? {} : { place: null, hint: null }),
          detail: owner ? context.secrets.redact(found.detail) : '',
          breaker: breakerOf(context, health.find((it) => it.provider === name)?.health, owner),
          pricing: pricingOf(provider, found.model, settings),
          limits: limitsOf(provider),
        }
      }),
    )
    return { providers: views }
  },
})

const ASK_MS = 5000
const UNASKED = { ok: false, hint: 'If it should: reeve trust', model: null, place: null, version: null, access: 'none' as const }

/** As the router asks them when nothing speaks against one. */
function inOrder(settings: Settings): [string, ProviderSettings][] {
  const { order } = settings.providers
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length)
  return providersOf(settings).toSorted(([a, one], [b, other]) => other.priority - one.priority || place(a) - place(b))
}

function pricingOf(provider: ProviderSettings, model: string | null, { prices }: Settings): 'free' | 'known' | 'unknown' {
  if (isFree(provider, prices)) return 'free'
  return priceOf(model ?? '', provider, prices) === null ? 'unknown' : 'known'
}

type Health = Awaited<ReturnType<Context['kit']['router']['health']>>[number]['health']

function breakerOf(context: Context, health: Health | undefined, owner: boolean): z.input<typeof providerView>['breaker'] {
  if (health === undefined || health.status === 'closed') return { state: 'closed', until: null, problem: null }
  const until = 'forMs' in health ? context.clock.now() + health.forMs : null
  return { state: health.status, until, problem: owner ? `${health.class}: ${context.secrets.redact(health.problem)}` : health.class }
}

function limitsOf({ max_concurrent, requests_per_minute, tokens_per_minute }: ProviderSettings): z.input<typeof providerView>['limits'] {
  return {
    concurrent: max_concurrent ?? null,
    requests_per_minute: requests_per_minute ?? null,
    tokens_per_minute: tokens_per_minute ?? null,
  }
}

export const providersTest = operation({
  name: 'providers.test',
  route: 'POST /api/v1/providers/{provider}/test',
  summary: 'Tries a provider: one tiny real exchange, or by itself against a scripted server of this machine.',
  permission: 'providers:write',
  effect: 'write',
  privileged: privilegedChoice,
  input: z.object({
    project: projectInput,
    provider: z.string(),
    offline: z.boolean().default(false).describe('Against a scripted server of this machine: no key, no network, nothing is paid.'),
    trust: z.boolean().optional(),
  }),
  output: z.object({
    provider: z.string(),
    offline: z.boolean(),
    ok: z.boolean(),
    seconds: z.number(),
    model: z.string(),
    said: z.string(),
    problem: z.string(),
    class: z.string().nullable(),
    usage: z.object({ inputTokens: z.number(), outputTokens: z.number(), cachedInputTokens: z.number(), requests: z.number() }),
    cost: z.number().nullable(),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  }),
  async handler(context, input, signal) {
    const { project, settings } = await named(context, input)
    if (input.trust !== true) {
      const { consents } = await settingsOf(context, project.root)
      const about = consents.filter((it) => it.provider === input.provider)
      await checkTrust(context, project.root, about)
    }
    const { tryOffline, tryOnline } = await import('./providers-test.ts')
    const trial = await (input.offline ? tryOffline : tryOnline)(context, input.provider, { project, settings }, signal)
    // Whoever has seen it work need not wait for the breaker.
    if (trial.ok && !input.offline) await context.kit.router.reopen(input.provider, settings)
    return { provider: input.provider, offline: input.offline, ...trial }
  },
})

export const providersReset = operation({
  name: 'providers.reset',
  route: 'POST /api/v1/providers/{provider}/reset',
  summary: 'Forgets what was known against a provider: the next run asks it again.',
  permission: 'providers:write',
  effect: 'write',
  input: z.object({ project: projectInput, provider: z.string() }),
  output: z.object({ provider: z.string() }),
  async handler(context, input) {
    const { settings } = await named(context, input)
    await context.kit.router.reopen(input.provider, settings)
    return { provider: input.provider }
  },
})

async function named(
  context: Context,
  input: { project?: string | undefined; provider: string },
): Promise<{ project: Project; settings: Settings }> {
  const project = await projectOf(context, input.project)
  const { settings } = await settingsOf(context, project.root)
  const known = providersOf(settings).map(([name]) => name)
  if (known.includes(input.provider)) return { project, settings }
  throw new ReeveError('provider_not_found', { provider: input.provider, known: known.join(', ') || 'none' })
}
