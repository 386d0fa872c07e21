import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CliAdapter, CliEvent } from '../../src/agents/cli/port.ts'
import { parseJson } from '../../src/core/json.ts'
import type { CliKind } from '../../src/core/settings.ts'
import type { ProviderErrorClass } from '../../src/models/port.ts'

export interface CliSample {
  file: string
  cli: CliKind
  case: string
  stream: 'stdout' | 'stderr'
  exitCode: number | null
  signal: string | null
  /** The files were changed. */
  changed: boolean
  stderr: string
  expected: {
    status: 'completed' | 'limited' | 'failed'
    class?: ProviderErrorClass
    /** Tokens in and out. */
    usage?: [number, number]
    text?: string
    tools?: number
    denied?: number
    retries?: number
    session?: boolean
  }
}

export const SAMPLES_FOLDER = join(import.meta.dirname, '../fixtures/cli-samples')
const INDEX = join(SAMPLES_FOLDER, 'index.json')

/** What was recorded of real CLI agents. */
export const CLI_SAMPLES = parseJson(readFileSync(INDEX, 'utf8'), INDEX) as unknown as readonly CliSample[]

export function sampleText(sample: CliSample): string {
  return readFileSync(join(SAMPLES_FOLDER, sample.file), 'utf8')
}

/** The events of a sample, as its adapter reads them. */
export function eventsOf(adapter: CliAdapter, sample: CliSample, text: string = sampleText(sample)): CliEvent[] {
  const reader = adapter.reader()
  const events = text.split('\n').flatMap((line) => reader.line(line, sample.stream))
  if (sample.stream === 'stdout') events.push(...sample.stderr.split('\n').flatMap((line) => reader.line(line, 'stderr')))
  const stderr = sample.stream === 'stderr' ? text : sample.stderr
  return [...events, ...reader.exited({ code: sample.exitCode, signal: sample.signal, stderr })]
}
