/** What the exit codes of every command mean. The same table is in docs/reference/exit-codes.md. */
export const EXITS = {
  0: 'succeeded',
  1: 'the gates said no, or a person did',
  2: 'wrong use: an argument, an option, a file or a setting',
  3: 'could not run: environment, provider, tool',
  4: 'not found',
  5: 'waiting for a person',
  130: 'left: the run goes on with the daemon, or can be resumed',
} as const
export type ExitCode = keyof typeof EXITS

// 130 says least about the run, 0 most. Waiting for a person is no failure yet.
const WORST: readonly ExitCode[] = [0, 5, 1, 4, 2, 3, 130]

/** The exit code of several outcomes: the worst of them. */
export function worst(codes: readonly ExitCode[]): ExitCode {
  return codes.toSorted((a, b) => WORST.indexOf(b) - WORST.indexOf(a))[0] ?? 0
}

/** The exit code that a run's state stands for. */
export function exitOf(run: { status: string; reason: string | null }): ExitCode {
  switch (run.status) {
    case 'succeeded':
      return 0
    case 'failed':
      return run.reason === 'gates' ? 1 : 3
    case 'cancelled':
      return 1
    case 'waiting':
      return 5
    default:
      return 130
  }
}
