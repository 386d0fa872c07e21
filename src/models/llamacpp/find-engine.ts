import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface EnginePlaces {
  env: Readonly<Record<string, string | undefined>>
  /** reeve's data folder; null where there is none. */
  dataDir: string | null
}

const PACKAGE = 'node-llama-cpp'
/** The version this is tried with. */
const VERSION = '3.22.1'

/**
 * Address of the module node-llama-cpp: in the folder that `REEVE_LLAMA` names, beside reeve's own packages, or in `llama` below the data
 * folder; null when it is in none of them.
 */
export function findEngine({ env, dataDir }: EnginePlaces): string | null {
  const named = env['REEVE_LLAMA']
  // A folder that was named and does not have it is a mistake, not a wish for another one.
  if (named) return engineFrom(join(resolve(named), 'x.js'))
  return engineFrom(import.meta.filename) ?? (dataDir === null ? null : engineFrom(join(engineFolder(dataDir), 'x.js')))
}

/** Where it is installed for this user. */
export function engineFolder(dataDir: string): string {
  return join(dataDir, 'llama')
}

function engineFrom(file: string): string | null {
  try {
    return pathToFileURL(createRequire(file).resolve(PACKAGE)).href
  } catch {
    return null
  }
}

/** What is missing, where it was looked for, and the command that brings it: without its scripts, which build, and the parts for other systems. */
export function missingEngine({ env, dataDir }: EnginePlaces): string {
  const named = env['REEVE_LLAMA']
  const folder = named ? resolve(named) : engineFolder(dataDir ?? '<folder>')
  const where = named ? `in ${folder} (REEVE_LLAMA)` : `beside reeve's packages, nor in ${folder}`
  return `The engine ${PACKAGE} is not ${named ? 'installed' : 'there, neither'} ${where}. Install it: ${installCommand(folder)}`
}

function installCommand(folder: string): string {
  return `npm install --prefix "${folder}" --ignore-scripts --omit=optional ${PACKAGE}@${VERSION} @node-llama-cpp/${platformName()}@${VERSION}`
}

function platformName(): string {
  const { platform, arch } = process
  if (platform === 'darwin') return arch === 'arm64' ? 'mac-arm64-metal' : 'mac-x64'
  return platform === 'win32' ? `win-${arch}` : `linux-${arch}`
}

/**
 * One less than there are cores: its threads wait by spinning, and with more of them than free cores everything stands still. Two threads of
 * one core count once; a container's share of processors is counted by the system.
 */
export async function defaultThreads(): Promise<number> {
  const info = await readFile('/proc/cpuinfo', 'latin1').catch(() => '')
  const cores = new Set(
    info.split('\n\n').flatMap((it) => {
      const [, socket] = /^physical id\s*: (\d+)/m.exec(it) ?? []
      const [, core] = /^core id\s*: (\d+)/m.exec(it) ?? []
      return core === undefined ? [] : [`${socket}.${core}`]
    }),
  ).size
  const available = availableParallelism()
  return Math.max(1, Math.min(available, cores || available) - 1)
}
