import type { Clock } from '../../core/clock.ts'
import type { ProviderSettings, Settings } from '../../core/settings.ts'
import type { Admission } from '../../models/admission.ts'
import type { ProviderErrorClass } from '../../models/port.ts'
import type { AgentResult } from '../port.ts'
import { createAdmission, type Watcher } from './admission.ts'
import { failureOf, type Health, healthOf, isHealthy, isLimited, isMisconfigured } from './breaker.ts'
import { type Choice, type ChoiceRequest, type Closed, chooseProvider, providerNamed, providerNames, routesFor } from './choose.ts'
import { afterTries, type Tried } from './fallback.ts'
import { accountKey, limitsOf, providerKey } from './identity.ts'
import { createLine, type Line } from './line.ts'
import type { Shared } from './port.ts'

export interface RouterOptions {
  /** What all processes share; opened when it is first needed. */
  shared: () => Promise<Shared>
  clock: Clock
  /** Where keys are: another key is another account. */
  env: Readonly<Record<string, string | undefined>>
  /** Length of the minute of "per minute"; tests have a shorter one. */
  minuteMs?: number
  random?: () => number
}

/** Which step of which run asks. */
export interface Asker {
  run: string
  step: string
}

export interface RouteRequest extends Pick<ChoiceRequest, 'role' | 'task' | 'settings' | 'avoided' | 'prefer'> {
  asker: Asker
  /** Tries of this step that failed, in order. */
  tried: readonly Tried[]
}

/** A provider at work in a step, from its choice until its result. */
export interface Attempt {
  /** It has answered, though it is not at its end: others need not wait any more. Must not throw. */
  answered(): void
  /** What came of it, for the provider's health. Returns until when it is limited, epoch ms, where it is. */
  ended(result: Pick<AgentResult, 'status' | 'class' | 'problem' | 'retryAt'>): Promise<number | null>
}

export interface Router {
  /** Who works next, and why. A provider whose time of being left alone is over is given to one asker at a time. */
  choose(request: RouteRequest): Promise<Choice>
  /** Who would work next: a look ahead that takes nothing. */
  next(request: RouteRequest): Promise<Choice>
  /** Could somebody else take over from this provider now? Takes nothing. */
  hasOther(request: RouteRequest, provider: string): Promise<boolean>
  begin(provider: string, settings: Settings, asker: Asker): Attempt
  /** What every request to this provider passes. Throws nothing for an unknown one: it is not limited. */
  admission(provider: string, settings: Settings): Admission
  /** For `reeve providers`. */
  health(settings: Settings): Promise<{ provider: string; health: Health }[]>
  /** Somebody has seen that it works, or has mended it: nothing of what was known counts any more. */
  reopen(provider: string, settings: Settings): Promise<void>
}

// A CLI agent takes so long at most to show that it works.
const PROBE_MS = 60_000
// The result of somebody else's try is looked for again after this time.
const TRIED_AGAIN_MS = 10_000

/** What was seen of a step's requests: what was counted with them is not counted again with the result. */
interface Seen {
  requests: number
  /** Our own limits held one back. */
  refusedUntil: number | null
  /** The provider's did. */
  limited: boolean
  answered: boolean
}

/** Chooses providers by order and health, and keeps the limits of their accounts, together with all other processes of a data folder. */
export function createRouter(options: RouterOptions): Router {
  const { shared, clock, env } = options
  const lines = new Map<string, Line>()
  const seen = new Map<string, Seen>()
  const idOf = ({ run, step }: Asker) => `${run}/${step}`
  const keyOf = (name: string, settings: ProviderSettings) => providerKey(name, settings, env)

  async function healthIn(settings: Settings): Promise<Map<string, Health>> {
    const keys = new Map(
      providerNames(settings).flatMap((name) => {
        const configured = providerNamed(settings, name)
        return configured ? [[name, keyOf(name, configured)] as const] : []
      }),
    )
    const known = await (await shared()).breakers([...keys.values()])
    return new Map([...keys].map(([name, key]) => [name, healthOf(known.find((it) => it.key === key))]))
  }

  async function closedFor({ settings, tried }: RouteRequest): Promise<{ closed: Map<string, Closed>; halfOpen: Set<string> }> {
    const now = clock.now()
    const closed = new Map([...afterTries(tried, settings).closed].filter(([, it]) => it.until > now))
    const halfOpen = new Set<string>()
    for (const [provider, health] of await healthIn(settings)) {
      if (health.status === 'half-open') halfOpen.add(provider)
      const why = closedBy(health, now)
      // What this step was told itself is the more exact.
      if (why !== null && !closed.has(provider)) closed.set(provider, why)
    }
    return { closed, halfOpen }
  }

  function pick(request: RouteRequest, closed: ReadonlyMap<string, Closed>): Choice {
    const { again, out, late } = afterTries(request.tried, request.settings)
    const avoided = new Map([...(request.avoided ?? []), ...late])
    return chooseProvider({ ...request, out, closed, avoided, now: clock.now(), prefer: again ?? request.prefer ?? null })
  }

  async function choose(request: RouteRequest): Promise<Choice> {
    const { closed, halfOpen } = await closedFor(request)
    for (;;) {
      const choice = pick(request, closed)
      if (choice.kind !== 'chosen' || !halfOpen.has(choice.provider)) return choice
      const configured = providerNamed(request.settings, choice.provider)
      if (!configured) return choice
      if (await (await shared()).takeProbe(keyOf(choice.provider, configured), idOf(request.asker), PROBE_MS)) {
        return { ...choice, reason: `${choice.reason}; to see whether it works again` }
      }
      halfOpen.delete(choice.provider)
      closed.set(choice.provider, { until: clock.now() + TRIED_AGAIN_MS, why: 'is being tried by another run', misconfigured: false })
    }
  }

  async function next(request: RouteRequest): Promise<Choice> {
    const { closed } = await closedFor(request)
    return pick(request, closed)
  }

  async function hasOther(request: RouteRequest, provider: string): Promise<boolean> {
    const { closed } = await closedFor(request)
    const { out, late } = afterTries(request.tried, request.settings)
    const taken = [out, late, closed, request.avoided ?? new Map<string, string>()]
    return routesFor(request).some((it) => it.provider !== provider && !taken.some((names) => names.has(it.provider)))
  }

  async function failed(name: string, settings: ProviderSettings, kind: ProviderErrorClass, problem: string, retryAt: number | null) {
    const retryIn = retryAt === null ? null : Math.max(0, retryAt - clock.now())
    const known = await (await shared()).breakerFailed(keyOf(name, settings), failureOf(kind, problem, retryIn, settings))
    return clock.now() + Math.max(0, known.retryIn ?? known.openFor ?? 0)
  }

  async function succeeded(name: string, settings: ProviderSettings): Promise<void> {
    await (await shared()).breakerClosed(keyOf(name, settings))
  }

  function watcherOf(name: string, settings: ProviderSettings): Watcher {
    return {
      entered(origin) {
        const known = seen.get(idOf(origin))
        if (known) known.requests += 1
      },
      refused(origin, retryAt) {
        const known = seen.get(idOf(origin))
        if (known) known.refusedUntil = retryAt
      },
      async left(origin, { class: kind, problem, retryAt }) {
        const known = seen.get(idOf(origin))
        if (known) known.refusedUntil = null
        if (kind === 'aborted') return
        if (known && isLimited(kind)) known.limited = true
        // A limit closes the account: the call waits for its end, and gives up if that is too far.
        if (isLimited(kind)) return
        const note = kind === null || isHealthy(kind) ? succeeded(name, settings) : failed(name, settings, kind, problem, retryAt)
        await note.catch(() => undefined)
      },
    }
  }

  function admission(name: string, settings: Settings): Admission {
    const configured = providerNamed(settings, name)
    if (!configured) return FREE
    const account = { key: accountKey(name, configured, env), name: configured.account ?? name }
    const line = lines.get(account.key) ?? createLine()
    lines.set(account.key, line)
    const { minuteMs, random } = options
    return createAdmission({
      shared,
      account,
      settings: { ...limitsOf(account.key, settings, env), max_tokens: configured.max_tokens },
      clock,
      line,
      watcher: watcherOf(name, configured),
      ...(minuteMs === undefined ? {} : { minuteMs }),
      ...(random === undefined ? {} : { random }),
    })
  }

  function begin(name: string, settings: Settings, asker: Asker): Attempt {
    const configured = providerNamed(settings, name)
    const its: Seen = { requests: 0, refusedUntil: null, limited: false, answered: false }
    seen.set(idOf(asker), its)
    return {
      answered() {
        if (its.answered || its.requests > 0 || !configured) return
        its.answered = true
        // The result says it again.
        succeeded(name, configured).catch(() => undefined)
      },
      async ended({ status, class: kind, problem, retryAt }) {
        seen.delete(idOf(asker))
        if (!configured) return null
        if (status !== 'failed') {
          if (status !== 'aborted' && its.requests === 0) await succeeded(name, configured)
          await (await shared()).freeProbe(keyOf(name, configured), idOf(asker))
          return null
        }
        const known = kind ?? 'crashed'
        if (isLimited(known) && its.refusedUntil !== null && !its.limited) {
          await (await shared()).freeProbe(keyOf(name, configured), idOf(asker))
          return its.refusedUntil
        }
        if (isLimited(known) || isMisconfigured(known)) {
          const until = await failed(name, configured, known, problem, retryAt)
          return isLimited(known) ? until : null
        }
        if (its.requests === 0 && !isHealthy(known)) await failed(name, configured, known, problem, retryAt)
        await (await shared()).freeProbe(keyOf(name, configured), idOf(asker))
        return null
      },
    }
  }

  return {
    choose,
    next,
    hasOther,
    begin,
    admission,
    health: async (settings) => [...(await healthIn(settings))].map(([provider, health]) => ({ provider, health })),
    async reopen(name, settings) {
      const configured = providerNamed(settings, name)
      if (!configured) return
      await succeeded(name, configured)
      await (await shared()).openAccount(accountKey(name, configured, env))
    },
  }
}

function closedBy(health: Health, now: number): Closed | null {
  if (health.status === 'closed' || health.status === 'half-open') return null
  const because = health.problem === '' ? health.class : `${health.class}: ${health.problem}`
  if (health.status === 'trying')
    return { until: now + TRIED_AGAIN_MS, why: `is being tried by another run (${because})`, misconfigured: false }
  const why = `is left alone for ${inWords(health.forMs)} (${health.failures > 1 ? `${health.failures} failures, ` : ''}${because})`
  return { until: now + health.retryInMs, why, misconfigured: isMisconfigured(health.class) }
}

function inWords(ms: number): string {
  if (ms >= 5_400_000) return `${Math.round(ms / 3_600_000)} h`
  return ms >= 90_000 ? `${Math.round(ms / 60_000)} min` : `${Math.ceil(ms / 1000)} s`
}

const FREE: Admission = { enter: async () => ({ admitted: true, leave: async () => undefined }) }
