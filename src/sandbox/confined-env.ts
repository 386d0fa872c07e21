import { programEnv } from '../process/env.ts'
import type { BackendRequest } from './backend.ts'
import type { Place, Profile } from './port.ts'
import { profileVariables } from './profile-env.ts'

const WAYS_OUT = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'npm_config_proxy', 'npm_config_https_proxy', 'npm_config_noproxy']

/** The environment of programs in a sandbox: toolchains as they are, caches of its own, no way out but the door, secrets only for an agent. */
export function confinedEnv(request: BackendRequest, place: Place, profile: Profile): Record<string, string> {
  const env = programEnv({
    home: place.home,
    run: place.run,
    from: request.env,
    realHome: request.realHome,
    confined: { packages: place.packages },
  })
  for (const name of WAYS_OUT) {
    delete env[name]
    delete env[name.toLowerCase()]
  }
  return { ...env, ...profileVariables(request.settings, profile) }
}
