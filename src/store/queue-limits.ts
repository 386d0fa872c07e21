/** How many runs may be at work at the same time, over all processes of the data folder. Each project's own number comes with its runs. */
export interface QueueLimits {
  max: number
  roles: Readonly<Record<string, number>>
  /** Counts the runs that ask for a provider by name. */
  providers: Readonly<Record<string, number>>
}

export const NO_LIMITS: QueueLimits = { max: Number.POSITIVE_INFINITY, roles: {}, providers: {} }

/** What limits look at in a run. */
export interface Limited {
  project: string
  role: string
  provider: string | null
  /** The limit of its project, as this run was submitted with it. */
  projectLimit: number | null
}

/** Runs at work, counted in each way that has a limit. */
export interface Load {
  total: number
  projects: Map<string, number>
  roles: Map<string, number>
  providers: Map<string, number>
}

export function loadOf(atWork: readonly (Limited & { count: number })[]): Load {
  const load: Load = { total: 0, projects: new Map(), roles: new Map(), providers: new Map() }
  for (const it of atWork) addLoad(load, it, it.count)
  return load
}

export function addLoad(load: Load, { project, role, provider }: Limited, count = 1): void {
  load.total += count
  bump(load.projects, project, count)
  bump(load.roles, role, count)
  if (provider !== null) bump(load.providers, provider, count)
}

function bump(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}

/** The first limit that a run would break if it began now, in words; null: none. */
export function limitInTheWay(run: Limited, load: Load, limits: QueueLimits): string | null {
  const { role, provider, projectLimit } = run
  const counted: [name: string, now: number, max: number | null | undefined][] = [
    ['limit', load.total, limits.max],
    ['project limit', load.projects.get(run.project) ?? 0, projectLimit],
    [`role ${role}`, load.roles.get(role) ?? 0, own(limits.roles, role)],
    [`provider ${provider}`, load.providers.get(provider ?? '') ?? 0, provider === null ? null : own(limits.providers, provider)],
  ]
  const full = counted.find(([, now, max]) => typeof max === 'number' && now >= max)
  return full === undefined ? null : `${full[0]} ${full[1]} of ${full[2]}`
}

/** Names come from outside: what every object has is no limit. */
function own(table: Readonly<Record<string, number>>, name: string): number | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
