import { HOME_PLACES, TOOL_VARIABLES } from '../../process/toolchains.ts'
import type { BackendRequest } from '../backend.ts'
import { confinedEnv } from '../confined-env.ts'
import type { Place, Profile } from '../port.ts'
import type { Image } from './image.ts'

const OF_THIS_MACHINE: ReadonlySet<string> = new Set([...TOOL_VARIABLES, ...HOME_PLACES.map((it) => it.name)])

/** The environment of programs in a container: without the variables that name toolchains of this machine, and with the image's search path. */
export function containerEnv(request: BackendRequest, image: Pick<Image, 'path'>, place: Place, profile: Profile): Record<string, string> {
  const from = Object.fromEntries(Object.entries(request.env).filter(([name]) => !OF_THIS_MACHINE.has(name)))
  // No folder below the user's home is looked for.
  const env = confinedEnv({ ...request, env: from, realHome: '/nonexistent' }, place, profile)
  return { ...env, PATH: image.path }
}
