import { ReeveError } from '../core/errors.ts'
import type { Role } from '../core/role.ts'
import type { Settings } from '../core/settings.ts'
import type { Task } from '../core/task.ts'

export interface RouteRequest {
  role: Role
  task: Pick<Task, 'provider'>
  settings: Settings
  /** Providers that have failed in this run and are not asked again, with the reason. */
  failed?: ReadonlyMap<string, string>
}

export interface Route {
  provider: string
  reason: string
}

/**
 * Picks the provider for a role at work. Pure. The task's own choice comes first, then the role's preferred ones, then the configured order,
 * then whatever else is configured. Throws `no_provider` when there is none left, `provider_not_found` when the task names an unknown one.
 */
export function chooseProvider({ role, task, settings, failed = new Map() }: RouteRequest): Route {
  const known = providerNames(settings)
  if (task.provider !== undefined && !known.includes(task.provider)) {
    throw new ReeveError('provider_not_found', { provider: task.provider, known: known.join(', ') || 'none' })
  }
  const wishes: Route[] = [
    ...(task.provider === undefined ? [] : [{ provider: task.provider, reason: 'the task asks for it' }]),
    ...role.providers.map((provider) => ({ provider, reason: `preferred by the role "${role.name}"` })),
    ...settings.providers.order.map((provider) => ({ provider, reason: 'first in the configured order' })),
    ...known.map((provider) => ({ provider, reason: 'the only one that is left' })),
  ].filter((it) => known.includes(it.provider))
  const unique = wishes.filter((it, at) => wishes.findIndex((other) => other.provider === it.provider) === at)
  const chosen = unique.find((it) => !failed.has(it.provider))
  if (!chosen) throw new ReeveError('no_provider')

  const skipped = unique.slice(0, unique.indexOf(chosen)).map((it) => `${it.provider} ${failed.get(it.provider) ?? 'failed'}`)
  if (skipped.length > 0) return { provider: chosen.provider, reason: `next after ${skipped.join(', ')}` }
  return known.length === 1 && chosen.reason.startsWith('the only') ? { ...chosen, reason: 'the only one configured' } : chosen
}

/** The names of the configured providers: those of the order first, then the others as they are written. */
export function providerNames(settings: Settings): string[] {
  const named = Object.keys(settings.providers).filter((it) => it !== 'order')
  const ordered = settings.providers.order.filter((it) => named.includes(it))
  return [...ordered, ...named.filter((it) => !ordered.includes(it))]
}
