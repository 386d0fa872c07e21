import type { Settings } from '../core/settings.ts'
import type { StepHandle } from '../engine/port.ts'
import type { Decision } from '../sandbox/network/decision.ts'
import type { Keeping } from '../workspace/held.ts'
import type { Project } from '../workspace/port.ts'
import { registriesAt } from '../workspace/registries.ts'
import type { Kit } from './kit.ts'

/** How programs are held for one base: the sandbox, and the registries that the base's lockfiles and the settings name. */
export async function keepingOf(kit: Kit, about: { project: Project; base: string; settings: Settings }): Promise<Keeping> {
  const sandbox = await kit.sandbox(about.settings)
  let found: ReturnType<Keeping['registries']> | undefined
  return { sandbox, registries: () => (found ??= registriesAt({ ...about, env: kit.env, home: kit.home })) }
}

/** The same, with what programs reach on the network, and what they are refused, as events of a step. */
export function telling(keeping: Keeping, step: Pick<StepHandle, 'emit'>): { keeping: Keeping; all(): Promise<void> } {
  let told: Promise<void> = Promise.resolve()
  const decided = ({ outcome, target, address, sent, received, reason, sentence }: Decision): void => {
    told = told.then(() =>
      outcome === 'allowed'
        ? step.emit('network.reached', { target, address, sent, received })
        : step.emit('network.refused', { target, reason, message: sentence }),
    )
    // Awaited by whoever asked; until then a run that was stopped meanwhile is nobody's surprise.
    told.catch(() => undefined)
  }
  return { keeping: { ...keeping, decided }, all: () => told }
}
