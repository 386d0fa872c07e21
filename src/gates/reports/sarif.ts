import type { Json } from '../../core/json.ts'
import type { Finding } from '../port.ts'
import { finding } from './reading.ts'

type Fields = { [key: string]: Json }

/** A member that is an object; {} otherwise. */
export function fields(value: Json | undefined): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {}
}

/** A member that is a list; [] otherwise. */
export function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : []
}

export function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

export function lineNumber(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : null
}

const SEVERITY: Readonly<Record<string, Finding['severity']>> = { error: 'error', warning: 'warning', note: 'info', none: 'info' }

function decoded(uri: string): string {
  try {
    return decodeURIComponent(uri.replace(/^file:\/\//, ''))
  } catch {
    return uri
  }
}

/** SARIF 2.1.0: the results of all runs. Suppressed ones are left out. */
export function readSarif(value: Json, place: (path: string) => string | null): Finding[] {
  return list(fields(value)['runs']).flatMap((run) =>
    list(fields(run)['results']).flatMap((item) => {
      const result = fields(item)
      if (list(result['suppressions']).length > 0) return []
      const physical = fields(fields(list(result['locations'])[0])['physicalLocation'])
      const uri = text(fields(physical['artifactLocation'])['uri'])
      const rule =
        text(result['ruleId']) || text(fields(result['rule'])['id']) || text(fields(fields(fields(run)['tool'])['driver'])['name'])
      return [
        finding({
          file: uri === '' ? null : place(decoded(uri)),
          line: lineNumber(fields(physical['region'])['startLine']),
          severity: SEVERITY[text(result['level'])] ?? 'warning',
          rule: rule || 'sarif',
          message: text(fields(result['message'])['text']),
        }),
      ]
    }),
  )
}
