import { readFile, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import type { ProviderSettings } from '../core/settings.ts'
import type { Env } from './home.ts'
import { expandHome } from './own.ts'

/** Variable that stands for a key that lies in a file; programs are never given it. */
const FROM_FILE = 'REEVE_KEY_FROM_FILE'
/** The longest keys are tokens of a few kilobytes. */
const MOST_BYTES = 16_384

export interface Keyed {
  provider: ProviderSettings
  env: Env
  /** To be taken out of whatever is written. */
  secret: string | null
}

/**
 * A provider whose key lies in a file (`api_key_file`), as if it lay in the environment: the rest of reeve knows variables only. Throws
 * `invalid_config` for a file that is not there, holds no key, or can be read by others.
 */
export async function withKeyFile(name: string, provider: ProviderSettings, env: Env): Promise<Keyed> {
  const file = provider.api_key_file
  if (file === undefined) return { provider, env, secret: null }
  const where = `providers.${name}.api_key_file`
  const path = expandHome(file, env)
  if (!isAbsolute(path)) throw new ReeveError('invalid_config', { where, problem: `"${file}" is not absolute; "~/" is your home` })
  const found = await stat(path).catch(() => null)
  if (!found?.isFile()) throw new ReeveError('invalid_config', { where, problem: `there is no file "${file}"` })
  if ((found.mode & 0o077) !== 0) {
    throw new ReeveError('invalid_config', { where, problem: `"${file}" can be read by others; only you may: chmod 600 ${file}` })
  }
  if (found.size > MOST_BYTES) throw new ReeveError('invalid_config', { where, problem: `"${file}" is too large for a key` })
  const secret = (await readFile(path, 'utf8')).trim()
  if (secret === '') throw new ReeveError('invalid_config', { where, problem: `"${file}" is empty` })
  return { provider: { ...provider, api_key_env: FROM_FILE }, env: { ...env, [FROM_FILE]: secret }, secret }
}
