import type { Settings } from '../core/settings.ts'
import { registriesOf } from '../sandbox/network/registries/registries.ts'
import { type SafeFile, sanitizedConfig } from '../sandbox/network/registries/sanitized-config.ts'
import { theUser } from '../sandbox/network/registries/user.ts'
import { parseHost } from '../sandbox/network/target.ts'
import type { AllowedHost } from '../sandbox/port.ts'
import type { Project } from './port.ts'
import { listFiles, showFile } from './revisions.ts'

export interface RegistriesRequest {
  project: Pick<Project, 'gitDir'>
  base: string
  settings: Pick<Settings, 'sandbox'>
  /** The user's environment and home: their package managers are asked which registries they use. */
  env: Readonly<Record<string, string | undefined>>
  home: string
}

/** Where setup commands may get packages from, and what package managers find in their home about it. */
export interface Registries {
  hosts: readonly AllowedHost[]
  /** The user's configuration of package managers without what is secret in it. */
  files: readonly SafeFile[]
  /** Certificates and folders of packages that it names. */
  readable: readonly string[]
}

/** The registries that the lockfiles of a commit name, those that the user's package managers use, and the hosts of the settings. */
export async function registriesAt({ project, base, settings, env, home }: RegistriesRequest): Promise<Registries> {
  const user = theUser(env, home)
  const paths = await listFiles(project, base)
  const [{ hosts }, configuration] = await Promise.all([
    registriesOf({ paths, read: (path) => showFile(project, base, path) }, user),
    sanitizedConfig(user),
  ])
  // Hosts with a private address can only come from the user's own configuration; those that a project names must have a public one.
  const named = [
    ...settings.sandbox.hosts.map((it) => parseHost(it, false)),
    ...settings.sandbox.private_hosts.map((it) => parseHost(it, true)),
  ]
  const more = named.filter((it) => it !== null)
  return { hosts: [...hosts, ...more], ...configuration }
}
