import type { Settings } from '../core/settings.ts'
import type { Keeping } from '../workspace/held.ts'
import type { Project } from '../workspace/port.ts'
import { registriesAt } from '../workspace/registries.ts'
import type { Kit } from './kit.ts'

/** How programs are held for one base: the sandbox, and the registries that the base's lockfiles and the settings name. */
export async function keepingOf(kit: Kit, about: { project: Project; base: string; settings: Settings }): Promise<Keeping> {
  const sandbox = await kit.sandbox(about.settings)
  let hosts: ReturnType<Keeping['hosts']> | undefined
  return { sandbox, hosts: () => (hosts ??= registriesAt(about)) }
}
