import type { CliKind, ProviderSettings } from '../../core/settings.ts'
import { claude } from './claude.ts'
import { cline } from './cline.ts'
import { cn } from './cn.ts'
import { codex } from './codex.ts'
import { commandAdapter } from './command.ts'
import { copilot } from './copilot.ts'
import { cursorAgent } from './cursor-agent.ts'
import { droid } from './droid.ts'
import { gemini } from './gemini.ts'
import { opencode } from './opencode.ts'
import { pi } from './pi.ts'
import type { CliAdapter } from './port.ts'
import { qwen } from './qwen.ts'

/** All that need no description by settings. A new one is a line here. */
export const ADAPTERS = [
  claude,
  codex,
  gemini,
  opencode,
  qwen,
  copilot,
  cursorAgent,
  pi,
  cn,
  cline,
  droid,
] as const satisfies readonly CliAdapter[]

/** The adapter of a kind; that of `command` is made from its settings. */
export function adapterOf(kind: CliKind, settings: ProviderSettings): CliAdapter {
  return ADAPTERS.find((it) => it.kind === kind) ?? commandAdapter(settings)
}
