import { basename } from 'node:path'
import type { Breach, ProgramSpec } from './port.ts'

/** What a program is called in a sentence: a command line as the user wrote it, else the program's name. */
export function nameOf({ argv }: Pick<ProgramSpec, 'argv'>): string {
  const [program, flag, line] = argv
  const isLine = flag === '-c' && line !== undefined && /^(?:ba|da|z|k)?sh$/.test(basename(program))
  return isLine ? `"${shorten(line)}"` : `"${basename(program)}"`
}

function shorten(line: string): string {
  return line.length > 100 ? `${line.slice(0, 97)}...` : line
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`
}

/** A broken limit in one sentence: which, its value, the peak, and the setting that raises it. */
export function breachSentence(name: string, { limit, allowed, peak, unit, setting }: Breach): string {
  const amount = (value: number) => (unit === 'processes' || unit === 'files' ? `${value}` : `${value} ${unit}`)
  const what = unit === 'processes' ? 'processes' : limit === 'files' ? 'new files' : limit
  return `${name} was ended: it broke the limit of ${amount(allowed)} for ${what} with ${amount(peak)} (${setting}).`
}
