/** What a caller may do, from least to most. Which permission needs which: `access/permissions.ts`. */
export const ACCESS_ROLES = ['viewer', 'operator', 'admin'] as const
export type AccessRole = (typeof ACCESS_ROLES)[number]

/** Who calls. People of this machine are `user`; programs with an API key are `key`. Other ways in (OIDC) become kinds of their own. */
export interface Actor {
  kind: 'user' | 'key'
  /** Name for records: a user name, or `key:<name>`. */
  name: string
  /** Of its API key. */
  id?: string
  role: AccessRole
  /** Roots of the projects it may see; null: all of them. */
  projects: readonly string[] | null
}

/** The person at this machine: reads and changes everything, as the files do. */
export function localUser(name: string): Actor {
  return { kind: 'user', name, role: 'admin', projects: null }
}

/** May the actor see what belongs to this project? */
export function maySee(actor: Pick<Actor, 'projects'>, project: string): boolean {
  return actor.projects === null || actor.projects.includes(project)
}

/** May the actor do everything on this machine? Nobody whose projects are named may: what an admin can do reaches over them. */
export function isOwner(actor: Pick<Actor, 'role' | 'projects'>): boolean {
  return actor.role === 'admin' && actor.projects === null
}
