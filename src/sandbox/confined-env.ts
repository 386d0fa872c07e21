import { programEnv } from '../process/env.ts'
import type { BackendRequest } from './backend.ts'
import type { Place, Profile } from './port.ts'

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
  if (profile.kind === 'install' && !request.settings.install_scripts) {
    env['npm_config_ignore_scripts'] = 'true'
    env['YARN_ENABLE_SCRIPTS'] = 'false'
    env['COMPOSER_NO_SCRIPTS'] = '1'
  }
  if (profile.kind === 'agent') Object.assign(env, profile.secrets)
  return env
}
