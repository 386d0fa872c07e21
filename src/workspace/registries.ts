import type { Settings } from '../core/settings.ts'
import { parseHost } from '../sandbox/network/target.ts'
import type { AllowedHost } from '../sandbox/port.ts'
import type { Project } from './port.ts'

export interface RegistriesRequest {
  project: Project
  base: string
  settings: Pick<Settings, 'sandbox'>
}

/** Hosts that setup commands may reach: the registries that the lockfiles of the base name, and those of the settings. */
export async function registriesAt({ settings }: RegistriesRequest): Promise<AllowedHost[]> {
  return settings.sandbox.hosts.map((it) => parseHost(it, false)).filter((it) => it !== null)
}
