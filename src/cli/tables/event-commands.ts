import type { CommandSpec } from '../command-spec.ts'

/** What happens, for whoever looks on and for other programs. */
export const EVENT_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'events',
    group: 'look',
    summary: 'Print the events of all runs of the project',
    options: [
      { flags: '-f, --follow', about: 'stay, and print what happens from now on' },
      { flags: '-a, --all', about: 'of all projects' },
      { flags: '--type <type>', about: 'only events of this type, such as run.finished or run.*; several times: of these', many: true },
      { flags: '--run <run>', about: 'only events of this run; several times: of these', many: true },
      { flags: '--after <position>', about: 'only events after this position, as --json gives it', kind: 'whole' },
    ],
    examples: [
      ['reeve events -f --all', 'what every run does'],
      ["reeve events -f --type 'run.*' --json", 'one line of JSON for each run that begins, waits or ends'],
    ],
    exits: [0, 2, 4, 130],
    load: async () => (await import('../commands/events.ts')).events,
  },
]
