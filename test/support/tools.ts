import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Development-only tools as `scripts/install-tools.ts` puts them: each set in a folder, with what it holds in `.installed`. */
export interface ToolSet {
  /** Packages, those of one call of npm together. */
  steps: readonly (readonly string[])[]
  /** Are their optional dependencies wanted? Agents keep their binaries there, the engine a build for every graphics card. */
  optional: boolean
  /** Program -> its version, and where it may lie in `node_modules`: the first that runs here is the one. */
  programs: Readonly<Record<string, { version: string; at: readonly string[] }>>
}
export const TOOL_SETS = JSON.parse(readFileSync(join(import.meta.dirname, '../real/tools.json'), 'utf8')) as Record<
  'agents' | 'llama' | 'mcp' | 'mcp-older',
  ToolSet
>
export type ToolSetName = keyof typeof TOOL_SETS
const ROOT = join(import.meta.dirname, '../../.cache/tools')

/** Where a set of tools is, whether it is there or not. */
export function toolFolder(set: ToolSetName): string {
  return join(ROOT, set)
}

/** The search path's folder of the real agents. */
export const AGENT_PROGRAMS = join(toolFolder('agents'), 'bin')

/** What `.installed` says when a set is as it should be. */
export function toolStamp(set: ToolSetName): string {
  return JSON.stringify(TOOL_SETS[set])
}

/** Is this set there, in the versions of `test/real/tools.json`? What it holds was tried when it was installed. */
export function hasTools(set: ToolSetName): boolean {
  const stamp = join(toolFolder(set), '.installed')
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === toolStamp(set)
}
