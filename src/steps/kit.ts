import type { Inspected } from '../agents/inspect.ts'
import type { Agent } from '../agents/port.ts'
import type { Router } from '../agents/router/router.ts'
import type { Clock } from '../core/clock.ts'
import type { Redact } from '../core/redact.ts'
import type { Role } from '../core/role.ts'
import type { Settings } from '../core/settings.ts'
import type { Judge } from '../gates/port.ts'
import type { Sandbox } from '../sandbox/port.ts'
import type { Project } from '../workspace/port.ts'

/** What the steps are built from; `app.ts` fills it, tests pass their own. */
export interface Kit {
  clock: Clock
  /** Holds `runs/<id>/` with workspaces. */
  dataDir: string
  /** Holds cached base results. */
  cacheDir: string
  /** Holds `<run>/card.json` and `card.md`, kept after the workspace is gone. */
  evidenceDir: string
  judge: Judge
  /** The agent behind a configured provider; keys are looked up in `env` (default: the user's). Throws provider_not_found, provider_key_missing. */
  agent(provider: string, settings: Settings, project: Project, env?: Kit['env']): Promise<Agent>
  /** Who works next; and the limits that every agent's requests pass. */
  router: Router
  /** What can be said of a provider without asking its model anything; `ask`: also whether its server is there. Throws provider_not_found. */
  inspect(provider: string, settings: Settings, project: Project, options: { ask: boolean; signal: AbortSignal }): Promise<Inspected>
  /** Built-in roles and the project's own, as they are at this commit. */
  roles(project: Project, commit: string): Promise<Map<string, Role>>
  /** How programs of runs with these settings are held on this machine; measured when it is first asked for. */
  sandbox(settings: Settings): Promise<Sandbox>
  /** The user's environment and home: toolchains and package managers are theirs. */
  env: Readonly<Record<string, string | undefined>>
  home: string
  redact: Redact
  /** Version of reeve, for trailers and cards. */
  version: string
}
