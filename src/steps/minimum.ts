import { ReeveError } from '../core/errors.ts'
import { atLeast, type IsolationLevel, type IsolationReport, levelName, parseLevel, weaker } from '../core/isolation.ts'
import type { Role } from '../core/role.ts'
import type { Settings } from '../core/settings.ts'
import { optionsOf, type RunRow } from './options.ts'

/**
 * The level below which a run does not start. What the user or the project says in `sandbox.minimum` holds; else a sandbox of the operating
 * system where nobody looks at what an agent does before programs of it run. A level that was asked for by name is never replaced by a lower one.
 */
export function requiredLevel(settings: Pick<Settings, 'sandbox' | 'runs'>, roles: readonly Role[]): IsolationLevel {
  const { minimum, level } = settings.sandbox
  if (minimum !== undefined) return minimum
  const usual: IsolationLevel = settings.runs.autonomy !== 'manual' && roles.some(mayRunPrograms) ? 'os-sandbox' : 'guarded'
  return level === 'auto' || atLeast(usual, level) ? usual : level
}

/** The gates run what an agent has written: who may write code may run it. */
function mayRunPrograms(role: Role): boolean {
  return role.permissions.run_commands || role.permissions.write !== 'none'
}

/**
 * The level a run has to have from here on: what was accepted for it since; else what it had when it was submitted, so that it never goes on
 * at a lower one unnoticed.
 */
export function neededLevel(row: RunRow, roles: readonly Role[]): IsolationLevel {
  const { isolation, settings } = optionsOf(row)
  return parseLevel(row.facts.accepted ?? '') ?? isolation ?? requiredLevel(settings, roles)
}

/** The level a run's records name: the lowest that its programs have been held at. */
export function recordedLevel(row: Pick<RunRow, 'facts'>, now: IsolationLevel): IsolationLevel {
  return weaker(parseLevel(row.facts.isolation ?? '') ?? now, now)
}

/** Throws `isolation_too_low` with what would help, and which flag accepts the risk. */
export function checkIsolation(report: IsolationReport, required: IsolationLevel): void {
  if (atLeast(report.level, required)) return
  throw new ReeveError('isolation_too_low', {
    level: levelName(report.level),
    minimum: levelName(required),
    reason: report.reason === '' ? 'no stronger one was asked for (sandbox.level).' : report.reason,
    improve:
      report.improve === null ? 'See what this machine holds: reeve doctor' : `For ${report.improve.gain}: ${report.improve.command}`,
    flag: acceptFlag(report.level),
  })
}

/** The flag that accepts a level for one run. */
function acceptFlag(level: IsolationLevel): string {
  return level === 'none' ? '--i-understand-no-sandbox' : `--accept-isolation ${level}`
}
