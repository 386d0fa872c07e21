import type { CliKind, ProviderSettings } from '../../core/settings.ts'
import { claude } from './claude.ts'
import { codex } from './codex.ts'
import { gemini } from './gemini.ts'
import { opencode } from './opencode.ts'
import type { CliAdapter } from './port.ts'

/** All that need no description by settings. A new one is a line here. */
export const ADAPTERS: readonly CliAdapter[] = [claude, codex, gemini, opencode]

/** The adapter of a kind; null: there is none. `command` is made from its settings. */
export function adapterOf(kind: CliKind, _settings: ProviderSettings): CliAdapter | null {
  return ADAPTERS.find((it) => it.kind === kind) ?? null
}
