import type { SandboxSettings } from '../core/settings.ts'
import type { Profile } from './port.ts'

/** What a profile adds to the environment: package managers run no scripts unless they may, an agent has its own secrets. */
export function profileVariables({ install_scripts }: Pick<SandboxSettings, 'install_scripts'>, profile: Profile): Record<string, string> {
  if (profile.kind === 'agent') return { ...profile.secrets }
  if (profile.kind !== 'install' || install_scripts) return {}
  return { npm_config_ignore_scripts: 'true', YARN_ENABLE_SCRIPTS: 'false', COMPOSER_NO_SCRIPTS: '1' }
}
