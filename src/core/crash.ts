/** Kills this process at a named point, so that the crash suite can prove recovery. Costs one comparison when `REEVE_CRASH_AT` is unset. */
const [wanted, nth] = (process.env['REEVE_CRASH_AT'] ?? '').split(':')
let passed = 0

/** `REEVE_CRASH_AT=after-journal:3` dies at the third passing of that point. */
export function crashAt(point: CrashPoint): void {
  if (point !== wanted) return
  passed += 1
  if (passed === Number(nth ?? 1)) process.kill(process.pid, 'SIGKILL')
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
  'after-evidence-before-finish',
  'after-land-before-record',
] as const
export type CrashPoint = (typeof CRASH_POINTS)[number]
