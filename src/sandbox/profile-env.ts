import type { SandboxSettings } from '../core/settings.ts'
import type { Profile } from './port.ts'

/** There is no network, however often a package manager asks: npm alone would ask for a minute. */
const ASK_ONCE = { npm_config_fetch_retries: '0', PIP_RETRIES: '0' }

/** What a profile adds to the environment of programs in a sandbox. */
export function confinedVariables(settings: Pick<SandboxSettings, 'install_scripts'>, profile: Profile): Record<string, string> {
  return { ...(profile.kind === 'run' ? ASK_ONCE : {}), ...profileVariables(settings, profile) }
}

/** The same for any program: package managers run no scripts unless they may, an agent has its own secrets. */
export function profileVariables({ install_scripts }: Pick<SandboxSettings, 'install_scripts'>, profile: Profile): Record<string, string> {
  if (profile.kind === 'agent') return { ...profile.secrets }
  if (profile.kind !== 'install' || install_scripts) return {}
  return { npm_config_ignore_scripts: 'true', YARN_ENABLE_SCRIPTS: 'false', COMPOSER_NO_SCRIPTS: '1' }
}
