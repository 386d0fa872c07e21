import { ReeveError } from '../../core/errors.ts'
import type { Role } from '../../core/role.ts'
import type { Settings } from '../../core/settings.ts'
import type { Task } from '../../core/task.ts'

export interface Route {
  provider: string
  reason: string
}

/** A provider that is closed for a time. `misconfigured`: waiting alone will not help it. */
export interface Closed {
  /** When it may be asked by who has nobody else. In the past: now. */
  until: number
  why: string
  misconfigured: boolean
}

export interface ChoiceRequest {
  role: Pick<Role, 'name' | 'providers'>
  task: Pick<Task, 'provider'>
  settings: Settings
  /** Not asked again in this step, with the reason. */
  out?: ReadonlyMap<string, string>
  /** Asked only when there is nobody else, such as those that got stuck in this run. */
  avoided?: ReadonlyMap<string, string>
  closed?: ReadonlyMap<string, Closed>
  /** Epoch ms. */
  now?: number
  /** Asked before all others, if it can be. */
  prefer?: Route | null
}

export interface Passed {
  provider: string
  why: string
}

/** `passed`: who would have come before, and why it did not. */
export type Choice =
  | { kind: 'chosen'; provider: string; reason: string; passed: Passed[] }
  | { kind: 'wait'; until: number; problem: string; passed: Passed[] }
  | { kind: 'none'; passed: Passed[] }

/**
 * Picks the provider for a role at work. Pure. `wait`: all that are left are closed for a time only. Throws `no_provider` when none is
 * configured, `provider_not_found` when the task names an unknown one.
 */
export function chooseProvider(request: ChoiceRequest): Choice {
  const { out = new Map(), avoided = new Map(), closed = new Map<string, Closed>(), prefer = null } = request
  const routes = routesFor(request)
  const whyNot = (provider: string) => out.get(provider) ?? closed.get(provider)?.why ?? avoided.get(provider) ?? null
  const choose = ({ provider, reason }: Route): Choice => {
    const before = routes.slice(
      0,
      routes.findIndex((it) => it.provider === provider),
    )
    const passed = before.flatMap((it) => {
      const why = whyNot(it.provider)
      return why === null ? [] : [{ provider: it.provider, why }]
    })
    return { kind: 'chosen', provider, reason, passed }
  }

  const left = routes.filter((it) => !out.has(it.provider))
  const open = left.filter((it) => !closed.has(it.provider))
  const may = (it: Route) => !closed.has(it.provider) || isOver(closed.get(it.provider), request.now ?? 0)
  if (prefer && left.some((it) => it.provider === prefer.provider && may(it))) return choose(prefer)
  const best = open.find((it) => !avoided.has(it.provider))
  if (best) return choose(best)
  const [again] = open
  if (again) return choose({ ...again, reason: `nobody else is left, though it ${avoided.get(again.provider) ?? ''}` })

  const passed = routes.map((it) => ({ provider: it.provider, why: whyNot(it.provider) ?? '' }))
  const waiting = left.flatMap((it) => closed.get(it.provider) ?? []).filter((it) => !it.misconfigured)
  const first = left.find((it) => isOver(closed.get(it.provider), request.now ?? 0))
  if (first) return choose({ ...first, reason: 'nobody else is left, and its pause is over' })
  if (waiting.length > 0) {
    const problem = passed.map((it) => `${it.provider} ${it.why}`).join('; ')
    return { kind: 'wait', until: Math.min(...waiting.map((it) => it.until)), problem, passed }
  }
  // Whoever has mended it meanwhile should not have to wait; if not, it says again what is wrong.
  const [broken] = left
  return broken
    ? choose({ ...broken, reason: `nobody else is left, though it ${closed.get(broken.provider)?.why}` })
    : { kind: 'none', passed }
}

function isOver(closed: Closed | undefined, now: number): boolean {
  return closed !== undefined && !closed.misconfigured && closed.until <= now
}

/** All providers in the order in which they are asked: the task's own, the role's by the settings, the role's own, then the others. */
export function routesFor({ role, task, settings }: Pick<ChoiceRequest, 'role' | 'task' | 'settings'>): Route[] {
  const known = providerNames(settings)
  if (known.length === 0) throw new ReeveError('no_provider')
  if (task.provider !== undefined && !known.includes(task.provider)) {
    throw new ReeveError('provider_not_found', { provider: task.provider, known: known.join(', ') })
  }
  const wishes: Route[] = [
    ...(task.provider === undefined ? [] : [{ provider: task.provider, reason: 'the task asks for it' }]),
    ...(settings.routing.roles[role.name] ?? []).map((provider) => ({
      provider,
      reason: `[routing] names it for the role "${role.name}"`,
    })),
    ...role.providers.map((provider) => ({ provider, reason: `preferred by the role "${role.name}"` })),
    ...byPriority(settings, known),
  ].filter((it) => known.includes(it.provider))
  return wishes.filter((it, at) => wishes.findIndex((other) => other.provider === it.provider) === at)
}

function byPriority(settings: Settings, known: readonly string[]): Route[] {
  const priority = (provider: string) => providerNamed(settings, provider)?.priority ?? 0
  const { order } = settings.providers
  // Sorting is stable: equal ones stay in order.
  return known
    .toSorted((a, b) => priority(b) - priority(a))
    .map((provider) => ({ provider, reason: reasonFor(provider, priority(provider), known, order) }))
}

function reasonFor(provider: string, priority: number, known: readonly string[], order: readonly string[]): string {
  if (known.length === 1) return 'the only one configured'
  if (priority !== 0) return `its priority is ${priority}`
  const at = order.indexOf(provider)
  if (at === -1) return 'configured, though not in the order'
  return at === 0 ? 'first in the configured order' : 'next in the configured order'
}

/** The names of the configured providers: those of the order first, then the others as they are written. */
export function providerNames(settings: Settings): string[] {
  const named = Object.keys(settings.providers).filter((it) => it !== 'order')
  const ordered = settings.providers.order.filter((it) => named.includes(it))
  return [...new Set([...ordered, ...named])]
}

/** The settings of a provider, null when there is none of that name. */
export function providerNamed(settings: Settings, name: string) {
  // A name may be one that every object has.
  const found = name !== 'order' && Object.hasOwn(settings.providers, name) ? settings.providers[name] : undefined
  return found === undefined || Array.isArray(found) ? null : found
}
