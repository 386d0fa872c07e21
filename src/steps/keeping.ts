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

/**
 * Works with programs whose connections become events of a step, also when the work fails: what an install was refused is why it failed. An
 * install opens dozens of connections to one registry, so each host is one event, at the end.
 */
export async function telling<T>(keeping: Keeping, step: Pick<StepHandle, 'emit'>, work: (keeping: Keeping) => Promise<T>): Promise<T> {
  const reached = new Map<string, { connections: number; sent: number; received: number }>()
  const refused = new Map<string, Decision>()
  const decided = (decision: Decision): void => {
    const { outcome, target, sent, received, reason } = decision
    if (outcome !== 'allowed') return void refused.set(`${target} ${reason}`, decision)
    const before = reached.get(target) ?? { connections: 0, sent: 0, received: 0 }
    reached.set(target, { connections: before.connections + 1, sent: before.sent + sent, received: before.received + received })
  }
  try {
    return await work({ ...keeping, decided })
  } finally {
    for (const [target, sums] of reached) await step.emit('network.reached', { target, ...sums })
    for (const { target, reason, sentence } of refused.values()) await step.emit('network.refused', { target, reason, message: sentence })
  }
}
