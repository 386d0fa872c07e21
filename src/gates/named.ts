import type { Finding } from '../core/verdict.ts'

/** The judge's own remarks about what a change did to its judges. `reeve explain` and documents use these names. */
export const RULES = {
  deleted: 'reeve/test-deleted',
  skipped: 'reeve/test-skipped',
  weakened: 'reeve/test-weakened',
  disappeared: 'reeve/test-disappeared',
  vacuous: 'reeve/test-vacuous',
  config: 'reeve/gate-config-changed',
  protected: 'reeve/protected-file-changed',
} as const

/** A named remark, attributed to the change's own hand. */
export function tampered(
  rule: (typeof RULES)[keyof typeof RULES],
  where: { file: string | null; line?: number | null },
  message: string,
  severity: Finding['severity'] = 'error',
): Finding {
  return { file: where.file, line: where.line ?? null, severity, rule, message, attribution: 'tampered' }
}

/** A file's or test's name between quotes, short enough for a sentence. */
export function quoted(name: string): string {
  return `"${name.length > 200 ? `${name.slice(0, 200)}…` : name}"`
}
