import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, normalize, resolve } from 'node:path'
import { placeOf } from '../process/env.ts'
import { HOME_PLACES, HOME_TOOLS, MAVEN_REPOSITORY, PRIVATE_FILES, TOOL_VARIABLES } from '../process/toolchains.ts'
import type { Place } from './port.ts'

export interface ToolchainRequest {
  /** The environment the sandbox gives programs; never what a command adds, which may name folders that programs write. */
  env: Readonly<Record<string, string>>
  realHome: string
  /** This process's environment: where toolchains lie. */
  from: Readonly<Record<string, string | undefined>>
  /** What the user added by `sandbox.read`. */
  read: readonly string[]
}

export interface Toolchains {
  shown: string[]
  /** Files in them that may hold passwords: not for programs of a run. */
  private: string[]
}

/** Where the system's own programs are: shown whole already. */
const SYSTEM = /^\/(?:usr|bin|sbin|lib|lib32|lib64)(?:\/|$)/

/**
 * Folders and files outside the system that toolchains need, to be shown read-only: this Node, what the search path and the variables of tools
 * name, what version managers keep below the home. Never the home itself nor a folder around it.
 */
export async function toolchains(request: ToolchainRequest): Promise<Toolchains> {
  const { env, realHome, from } = request
  const around = [realHome, await realpath(realHome).catch(() => realHome)]
  const isTooMuch = (path: string) => path === '/' || around.some((it) => it === path || it.startsWith(`${path}/`))
  const found = new Set<string>()
  const show = async (path: string) => {
    const real = await realpath(path).catch(() => null)
    if (real === null || SYSTEM.test(real) || isTooMuch(real) || isTooMuch(path)) return
    // Both names: programs are called by the one and find their libraries by the other.
    found.add(real)
    if (path !== real && !SYSTEM.test(path)) found.add(path)
  }
  const values = TOOL_VARIABLES.flatMap((it) => (env[it] ?? '').split(':')).filter((it) => it.startsWith('/'))
  for (const it of [dirname(process.execPath), ...values]) await show(await prefixOf(it, isTooMuch))
  for (const { name, folders, holds, show: parts } of HOME_PLACES) {
    const place = holds === 'tools' || holds === 'packages' ? placeOf(name, folders, from, realHome) : undefined
    // What programs are led elsewhere for is not shown either.
    if (place === undefined || env[name] !== place) continue
    for (const part of parts ?? ['.']) await show(resolve(place, part))
  }
  for (const it of HOME_TOOLS) await show(join(realHome, it))
  const maven = join(realHome, MAVEN_REPOSITORY)
  if (env['MAVEN_OPTS']?.includes(maven)) await show(maven)
  for (const it of request.read) await show(resolve(realHome, it.replace(/^~\//, './')))
  const shown = [...found]
  const suspects = [...shown, '/usr', '/usr/local'].flatMap((folder) => PRIVATE_FILES.map((it) => join(folder, it)))
  const there = await Promise.all(suspects.map(async (it) => ((await stat(it).catch(() => null))?.isFile() ? [it] : [])))
  return { shown, private: there.flat() }
}

/**
 * An environment without the entries that lie where programs of a place write: a link that one of them leaves there must not decide what the
 * next one is shown.
 */
export function namedOutside(env: Readonly<Record<string, string>>, place: Place): Record<string, string> {
  const written = [place.tree, place.home, ...(place.writable ?? []), ...(place.packages === undefined ? [] : [place.packages])]
  const isOutside = (path: string) => !written.some((it) => normalize(path) === it || normalize(path).startsWith(`${it}/`))
  const outside = TOOL_VARIABLES.map((it) => [it, (env[it] ?? '').split(':').filter(isOutside).join(':')] as const)
  return { ...env, ...Object.fromEntries(outside.filter(([name]) => env[name] !== undefined)) }
}

/** `<prefix>/bin` of an installed toolchain is shown with its libraries; a mere folder of programs alone. */
async function prefixOf(folder: string, isTooMuch: (path: string) => boolean): Promise<string> {
  const prefix = dirname(folder)
  if (!['bin', 'shims'].includes(basename(folder)) || isTooMuch(prefix) || basename(prefix) === '.local') return folder
  // Somebody's project: what else lies in it is not for programs of another. Version managers that are checkouts are named by their variables.
  if ((await stat(join(prefix, '.git')).catch(() => null)) !== null) return folder
  for (const it of ['lib', 'include', 'libexec', 'share', 'versions']) {
    if ((await stat(join(prefix, it)).catch(() => null))?.isDirectory()) return prefix
  }
  return folder
}
