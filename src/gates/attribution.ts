import type { Attribution, Finding, GateStatus } from '../core/verdict.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import type { BaseResult } from './base-results.ts'
import type { StoredMeasurement } from './cache.ts'
import { isAcceptance } from './command-kinds.ts'
import { COMMAND_FAILED, type Failures, failuresOf } from './failures.ts'
import type { Places } from './places.ts'
import type { Measurement } from './port.ts'

/**
 * Says of each failure where it comes from, by what the same command says on the base. A test is the same by its name, a remark of a linter or
 * compiler by file, rule and message, wherever its line has drifted. What the base cannot excuse is `introduced`. Pure but for reading `places`.
 */
export async function attribute(
  { blocking, tests }: Pick<Failures, 'blocking' | 'tests'>,
  base: BaseResult | null,
  places: Places,
  command: Pick<DetectedCommand, 'gate'>,
): Promise<Finding[]> {
  if (base === null) return blocking.map((it) => ({ ...it, attribution: 'none' }))
  if (!base.known || isAcceptance(command.gate)) return blocking.map((it) => ({ ...it, attribution: 'introduced' }))
  const old = failuresOf({ ...base.measurement, gate: command.gate })
  const left = Map.groupBy(old.blocking, (it) => keyOf(it, old.tests.has(it), null))

  const attributed = new Map<Finding, Attribution>()
  const take = (finding: Finding, fits: (old: Finding) => boolean): void => {
    const key = keyOf(finding, tests.has(finding), places)
    const same = left.get(key) ?? []
    const at = same.findIndex(fits)
    if (at === -1) return
    left.set(key, same.toSpliced(at, 1))
    attributed.set(finding, 'pre-existing')
  }
  // First those on the very line they were on, so that of two equal remarks the new one is called new.
  for (const finding of blocking) {
    if (finding.file === null || finding.line === null) continue
    const line = await places.lineAtBase(finding.file, finding.line)
    if (line !== null) take(finding, (it) => it.line === line)
  }
  for (const finding of blocking) if (!attributed.has(finding)) take(finding, () => true)
  return blocking.map((it) => ({ ...it, attribution: attributed.get(it) ?? 'introduced' }))
}

/** Two failures with the same key are the same failure. Positions and amounts inside messages do not count. */
function keyOf(finding: Finding, test: boolean, places: Places | null): string {
  // A test is its name; its message may hold times, addresses and the values of this run.
  if (test) return `test\u0000${movedName(finding.rule, places)}`
  const file = finding.file === null ? '' : (places?.moved.get(finding.file) ?? finding.file)
  const message =
    finding.rule === COMMAND_FAILED
      ? ''
      : finding.message
          .replaceAll(/\b\d+(:\d+)*\b/g, '#')
          .replaceAll(/\s+/g, ' ')
          .trim()
  return [file, finding.rule, message].join('\u0000')
}

/** A test's name begins with its file; a moved file keeps its tests. */
export function movedName(name: string, places: Places | null): string {
  const [first = '', ...rest] = name.split(' > ')
  return [places?.moved.get(first) ?? first, ...rest].join(' > ')
}

function silent(it: Pick<Measurement, 'cases' | 'findings' | 'status'>): boolean {
  return it.status === 'failed' && it.findings.length === 0 && it.cases === null
}

/** True when the tool itself breaks in the same way on both sides, so that it says nothing about the change. */
export function breaksAlike(measured: Measurement, base: StoredMeasurement, command: DetectedCommand): boolean {
  const structured = command.report !== null && command.report.format !== 'exit-code'
  return structured && silent(measured) && silent(base) && measured.exitCode === base.exitCode
}

const OWN: readonly Attribution[] = ['introduced', 'tampered', 'none']

/** The status of a gate from its attributed failures: only the change's own make it fail, and all of them where there is no base. */
export function statusOf(blocking: readonly Finding[]): GateStatus {
  if (blocking.length === 0) return 'passed'
  if (blocking.some((it) => OWN.includes(it.attribution))) return 'failed'
  return blocking.every((it) => it.attribution === 'environmental') ? 'not_run' : 'warning'
}
