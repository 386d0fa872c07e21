import type { Clock } from '../../core/clock.ts'
import type { Redaction } from '../../core/redact.ts'
import type { Cost } from '../../core/run.ts'
import type { FileSettings, ProviderSettings } from '../../core/settings.ts'
import type { Admission } from '../../models/admission.ts'
import type { RawTokens } from '../../models/guard.ts'
import type { Meter, MeterOptions } from '../../models/meter/port.ts'
import type { ProgramResult, ProgramSpec } from '../../process/port.ts'
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
  /** Makes the proxy that its requests pass, where it is given a key. Absent: it gets the provider's own address, and the key itself. */
  startMeter?: (options: MeterOptions) => Promise<Meter>
  /** For that proxy: what each request passes, and how the provider is reached. */
  admission?: Admission
  fetch?: typeof fetch
  /** What tokens cost; null where no price is known. */
  priced?: (model: string, tokens: RawTokens) => Cost
  /** For tests. */
  patience?: { firstMs?: number; toolMs?: number }
}
