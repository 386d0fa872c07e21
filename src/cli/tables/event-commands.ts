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
  {
    name: 'webhooks',
    group: 'settings',
    summary: 'List the webhooks of your configuration, and how far each has come',
    examples: [['reeve webhooks', 'who is told of what']],
    exits: [0, 3],
    load: async () => (await import('../commands/webhooks.ts')).webhooksList,
  },
  {
    name: 'webhooks deliveries',
    group: 'settings',
    summary: 'List what was sent to webhooks, the newest first',
    args: [{ name: '[webhook]', about: 'only to this one' }],
    options: [{ flags: '--limit <n>', about: 'how many (default: 50)', kind: 'whole' }],
    examples: [['reeve webhooks deliveries ci', 'has it arrived?']],
    exits: [0, 3, 4],
    load: async () => (await import('../commands/webhooks.ts')).webhooksDeliveries,
  },
  {
    name: 'webhooks test',
    group: 'settings',
    summary: 'Send one message to a webhook, and tell how it was taken',
    args: [{ name: '<webhook>', about: 'its name in your configuration' }],
    examples: [['reeve webhooks test ci', 'is the receiver there, and does it accept the signature?']],
    exits: [0, 1, 3, 4],
    load: async () => (await import('../commands/webhooks.ts')).webhooksTest,
  },
]
