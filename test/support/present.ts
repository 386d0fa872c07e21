import { spawnSync } from 'node:child_process'
import { hasTools, TOOL_SETS, type ToolSetName } from './tools.ts'

/**
 * A program, a program with arguments that must exit 0, `bubblewrap`: one that really starts a sandbox, or a tool of
 * `scripts/install-tools.ts`: "the real claude", "the llama engine", "the MCP tools".
 */
export type Need = string | readonly [string, ...string[]]

/** Needs that are more than a program that is there. */
const KNOWN: Readonly<Record<string, readonly [string, ...string[]]>> = {
  // In a container, or where the system forbids user namespaces, its presence says nothing.
  bubblewrap: ['bwrap', '--unshare-user', '--unshare-pid', '--unshare-net', '--ro-bind', '/', '/', '--proc', '/proc', '--', 'true'],
}

/** Is it on this machine? */
export function isPresent(need: Need): boolean {
  const tools = toolsFor(need)
  if (tools !== null) return hasTools(tools)
  const [program, ...args] = typeof need === 'string' ? (KNOWN[need] ?? [need, '--version']) : need
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

/** What is missing, in words, with the way to get it where that is one of ours. */
export function needInWords(need: Need): string {
  const tools = toolsFor(need)
  const name = typeof need === 'string' ? need : need[0]
  return tools === null ? name : `${name}: node scripts/install-tools.ts ${tools}`
}

function toolsFor(need: Need): ToolSetName | null {
  if (need === 'the llama engine') return 'llama'
  if (need === 'the MCP tools') return 'mcp'
  if (need === 'the older MCP tools') return 'mcp-older'
  const program = typeof need === 'string' ? /^the real (\w+)$/.exec(need)?.[1] : undefined
  return program !== undefined && program in TOOL_SETS.agents.programs ? 'agents' : null
}
