import { RUN } from '../command-options.ts'
import type { CommandSpec, OptionSpec } from '../command-spec.ts'

const ALL: OptionSpec = { flags: '-a, --all', about: 'the queue of all projects' }

const LIST: readonly OptionSpec[] = [
  { flags: '-a, --all', about: 'of all projects' },
  { flags: '-n, --limit <n>', about: 'at most so many (50)', kind: 'whole' },
]

/** Commands about which runs begin, and when. */
export const QUEUE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'queue',
    group: 'look',
    summary: 'Show which runs are queued: in which order they begin, when, and why each waits',
    options: LIST,
    examples: [
      ['reeve queue', 'the queued runs of this project'],
      ['reeve queue --all --json', 'those of all projects, for a program'],
    ],
    exits: [0, 2, 3],
    load: async () => (await import('../commands/queue.ts')).queueLs,
  },
  {
    name: 'queue ls',
    group: 'look',
    summary: 'The same as reeve queue',
    options: LIST,
    examples: [['reeve queue ls', 'the queued runs of this project']],
    exits: [0, 2, 3],
    load: async () => (await import('../commands/queue.ts')).queueLs,
  },
  {
    name: 'queue pause',
    group: 'steer',
    summary: 'Begin no more queued runs of this project; those at work go on',
    options: [ALL],
    examples: [['reeve queue pause --all', 'nothing new begins, also after a restart']],
    exits: [0, 2, 3],
    load: async () => (await import('../commands/queue.ts')).queuePause,
  },
  {
    name: 'queue resume',
    group: 'steer',
    summary: 'Begin queued runs again, after a pause or a drain',
    options: [ALL],
    examples: [['reeve queue resume', 'the queue of this project goes on']],
    exits: [0, 2, 3],
    load: async () => (await import('../commands/queue.ts')).queueResume,
  },
  {
    name: 'queue drain',
    group: 'steer',
    summary: 'Begin no more queued runs and wait until none is at work',
    options: [ALL, { flags: '--timeout <minutes>', about: 'how long to wait (60)', kind: 'number' }],
    examples: [['reeve queue drain --all --timeout 30', 'exit code 1: some are still at work after half an hour']],
    exits: [0, 1, 2, 3],
    load: async () => (await import('../commands/queue.ts')).queueDrain,
  },
  {
    name: 'priority',
    group: 'steer',
    summary: 'Change how urgent a run is: among queued ones, higher begins first',
    args: [RUN, { name: '<n>', about: 'from -1000 to 1000; 0 is usual' }],
    examples: [['reeve priority last 10', 'before all others that are queued']],
    exits: [0, 2, 3, 4],
    load: async () => (await import('../commands/queue.ts')).priority,
  },
]
