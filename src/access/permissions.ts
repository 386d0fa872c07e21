import { ACCESS_ROLES, type AccessRole, type Actor } from '../core/actor.ts'
import { ReeveError } from '../core/errors.ts'

/** Which role a permission needs. Static and complete: what is not here does not exist, so nothing is allowed by being forgotten. */
export const PERMISSIONS = {
  'runs:read': 'viewer',
  'runs:write': 'operator',
  'queue:read': 'viewer',
  'queue:write': 'operator',
  'projects:read': 'viewer',
  'projects:write': 'admin',
  'config:read': 'operator',
  'roles:read': 'viewer',
  'models:read': 'viewer',
  'models:write': 'admin',
  'providers:read': 'operator',
  'providers:write': 'operator',
  /** What stands in the documents as well. */
  'help:read': 'viewer',
  'system:read': 'viewer',
  'system:admin': 'admin',
  'keys:read': 'admin',
  'keys:admin': 'admin',
  'audit:read': 'admin',
  'webhooks:read': 'admin',
  'webhooks:admin': 'admin',
} as const satisfies Record<string, AccessRole>
export type Permission = keyof typeof PERMISSIONS

/**
 * What belongs to no project: only for callers of all projects, whatever their role. What needs an admin is among it without being named:
 * a key whose projects are named cannot be one.
 */
const OF_THE_MACHINE: ReadonlySet<Permission> = new Set(['config:read', 'models:read', 'providers:write', 'system:read'])

/** Why not, as what would be needed; null: the actor may. */
export function lacks(actor: Pick<Actor, 'role' | 'projects'>, permission: Permission): string | null {
  const needed = PERMISSIONS[permission]
  if (ACCESS_ROLES.indexOf(actor.role) < ACCESS_ROLES.indexOf(needed)) return needed
  const wide = needed === 'admin' || OF_THE_MACHINE.has(permission)
  return wide && actor.projects !== null ? 'a key for all projects' : null
}

/** Throws `forbidden`, with what would be needed. */
export function mustMay(actor: Actor, permission: Permission, doing: string): void {
  const needed = lacks(actor, permission)
  if (needed !== null) throw refusal(actor, doing, needed)
}

export function refusal({ name, role }: Pick<Actor, 'name' | 'role'>, doing: string, needed: string): ReeveError {
  return new ReeveError('forbidden', { actor: name, role, doing, needed })
}
