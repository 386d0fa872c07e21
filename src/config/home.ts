import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

/** Where reeve keeps its files on this machine. All absolute. */
export interface Folders {
  /** The user's `config.toml`. */
  config: string
  /** Store and logs. */
  state: string
  /** Workspaces of runs. */
  data: string
  /** What can be made again: base results of gates, dependency trees. */
  cache: string
}

export type Env = Readonly<Record<string, string | undefined>>

/**
 * The XDG folders, or all of them below `REEVE_HOME` where it is set (tests, containers). A relative path in any of the XDG variables
 * is ignored, as their specification asks; `REEVE_HOME` is taken from the current folder.
 */
export function reeveFolders(env: Env, home: string = homedir()): Folders {
  const own = env['REEVE_HOME']
  const all = own ? resolve(own) : undefined
  if (all !== undefined)
    return { config: join(all, 'config'), state: join(all, 'state'), data: join(all, 'data'), cache: join(all, 'cache') }
  const user = absolute(env['HOME']) ?? home
  const xdg = (variable: string, fallback: string) => join(absolute(env[variable]) ?? join(user, fallback), 'reeve')
  return {
    config: xdg('XDG_CONFIG_HOME', '.config'),
    state: xdg('XDG_STATE_HOME', '.local/state'),
    data: xdg('XDG_DATA_HOME', '.local/share'),
    cache: xdg('XDG_CACHE_HOME', '.cache'),
  }
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined
}
