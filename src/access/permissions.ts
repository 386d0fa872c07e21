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
  'providers:write': 'operator',
  'system:read': 'viewer',
  'system:admin': 'admin',
  'keys:read': 'admin',
  'keys:admin': 'admin',
  'audit:read': 'admin',
  'webhooks:admin': 'admin',
} as const satisfies Record<string, AccessRole>
export type Permission = keyof typeof PERMISSIONS

export function may(actor: Pick<Actor, 'role'>, permission: Permission): boolean {
  return atLeastRole(actor.role, PERMISSIONS[permission])
}

export function atLeastRole(role: AccessRole, needed: AccessRole): boolean {
  return ACCESS_ROLES.indexOf(role) >= ACCESS_ROLES.indexOf(needed)
}

/** Throws `forbidden`, with what would be needed. */
export function mustMay(actor: Actor, permission: Permission, doing: string): void {
  if (may(actor, permission)) return
  throw new ReeveError('forbidden', { actor: actor.name, role: actor.role, doing, needed: PERMISSIONS[permission] })
}
