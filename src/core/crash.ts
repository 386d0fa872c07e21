/** Kills this process at a named point, so that the crash suite can prove recovery. Costs one comparison when `REEVE_CRASH_AT` is unset. */
const [wanted, at] = (process.env['REEVE_CRASH_AT'] ?? '').split(':')
const nth = /^\d+$/.test(at ?? '') ? Number(at) : 1
const step = at === undefined || /^\d+$/.test(at) ? null : at
let passed = 0

/**
 * `REEVE_CRASH_AT=after-journal:3` dies at the third passing of that point, `after-step-started:plan` at the first passing for the step `plan`
 * (where the point belongs to a step, which is then given as `of`).
 */
export function crashAt(point: CrashPoint, of?: string): void {
  if (point !== wanted || (step !== null && step !== of)) return
  passed += 1
  if (passed === nth) process.kill(process.pid, 'SIGKILL')
}

export const CRASH_POINTS = [
  'after-submit',
  'after-claim',
  'after-step-started',
  'after-effect-before-journal',
  'after-journal',
  'before-park',
  'after-park',
  'before-finish',
  'after-finish',
  'after-worktree-before-record',
  'after-commit-before-publish',
  'after-keep-before-restore',
  'after-removal-before-record',
  'after-evidence-before-finish',
  'after-land-before-record',
] as const
export type CrashPoint = (typeof CRASH_POINTS)[number]
