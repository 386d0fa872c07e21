import { ACCESS_ENTRIES } from './entries/access.ts'
import { ALWAYS } from './entries/always.ts'
import { CONSENT_ENTRIES } from './entries/consent.ts'
import { FILES } from './entries/files.ts'
import { GIT_BOUNDARY } from './entries/git.ts'
import { LIMITS_OF_RUNS } from './entries/limits.ts'
import { MCP_ENTRIES } from './entries/mcp.ts'
import { NETWORK } from './entries/network.ts'
import { OS_SANDBOX } from './entries/os-sandbox.ts'
import { PROGRAMS } from './entries/programs.ts'
import { SERVER_ENTRIES } from './entries/server.ts'
import { STATE_ENTRIES } from './entries/state.ts'
import { TEXT } from './entries/text.ts'
import type { Entry } from './entry.ts'

/** Every attack case that concerns what exists, with the source text whose removal must turn its test red. */
export const ENTRIES: readonly Entry[] = [
  ...FILES,
  ...GIT_BOUNDARY,
  ...ALWAYS,
  ...CONSENT_ENTRIES,
  ...OS_SANDBOX,
  ...LIMITS_OF_RUNS,
  ...NETWORK,
  ...PROGRAMS,
  ...TEXT,
  ...SERVER_ENTRIES,
  ...STATE_ENTRIES,
  ...ACCESS_ENTRIES,
  ...MCP_ENTRIES,
]
