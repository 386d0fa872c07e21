// A process that puts itself into groups before it becomes the program has nothing outside of them.
const ENROL = 'set -e; n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1/cgroup.procs"; shift; n=$((n-1)); done; exec "$@"'

/** Words in front of a program that put it into these groups first; it fails where one of them does not take it. */
export function enrolWords(folders: readonly string[]): string[] {
  return ['/bin/sh', '-c', ENROL, 'reeve', `${folders.length}`, ...folders]
}

/** The kernel gives a share of processor time per period; 100 ms is its own default. */
const PERIOD_US = 100_000

/** Percent of one processor as microseconds per period. */
export function cpuQuota(percent: number): { quota: number; period: number } {
  return { quota: Math.round((PERIOD_US * percent) / 100), period: PERIOD_US }
}
