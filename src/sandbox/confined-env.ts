import { programEnv } from '../process/env.ts'
import type { BackendRequest } from './backend.ts'
import { withoutCredentials } from './network/registries/sanitized-config.ts'
import type { Place, Profile } from './port.ts'
import { confinedVariables } from './profile-env.ts'

const WAYS_OUT = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'npm_config_proxy', 'npm_config_https_proxy', 'npm_config_noproxy']

/** The environment of programs in a sandbox: toolchains as they are, caches of its own, no way out but the door, secrets only for an agent. */
export function confinedEnv(request: BackendRequest, place: Place, profile: Profile): Record<string, string> {
  const env = programEnv({
    home: place.home,
    run: place.run,
    from: request.env,
    realHome: request.realHome,
    confined: { packages: place.packages, installs: profile.kind === 'install' && place.packages !== undefined },
  })
  for (const name of WAYS_OUT) {
    delete env[name]
    delete env[name.toLowerCase()]
  }
  // Addresses of registries may hold a password, which whatever runs here could send on or print.
  const safe = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, withoutCredentials(value)]))
  return { ...safe, ...confinedVariables(request.settings, profile) }
}
