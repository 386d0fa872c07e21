import type { Clock } from '../../core/clock.ts'
import type { Redaction } from '../../core/redact.ts'
import type { Cost } from '../../core/run.ts'
import type { FileSettings, ProviderSettings } from '../../core/settings.ts'
import type { RawTokens } from '../../models/guard.ts'
import type { ProgramResult, ProgramSpec } from '../../process/port.ts'
import type { StartMeter } from './meter-port.ts'
import type { CliAdapter } from './port.ts'

/** What an agent that is a program of its own is made of. */
export interface CliDeps {
  /** The provider's name; homes are named after it. */
  name: string
  settings: ProviderSettings
  adapter: CliAdapter
  /** As it was found: absolute path, and what it says of its version. */
  program: { path: string; version: string | null }
  /** The user's environment and home: keys and log-ins are theirs. */
  env: Readonly<Record<string, string | undefined>>
  realHome: string
  fileRules: FileSettings
  clock: Clock
  redaction: Redaction
  runProgram: (spec: ProgramSpec) => Promise<ProgramResult>
  /** Absent: it is given the provider's own address and key. */
  startMeter?: StartMeter
  /** What tokens cost that the program reports without a price. */
  priced?: (model: string, tokens: RawTokens) => Cost
  /** For tests. */
  patience?: { firstMs?: number; toolMs?: number }
}
