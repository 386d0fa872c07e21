import type { CommandSpec } from '../command-spec.ts'

const NOW = { flags: '--now', about: 'do not wait for steps at work: the next daemon begins them again' }

/** Commands about the process that works on the runs. */
export const DAEMON_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'serve',
    group: 'server',
    summary: 'Work on the runs of this data folder and serve the HTTP API, in the foreground',
    options: [
      { flags: '--host <address>', about: 'address to listen on, instead of daemon.host' },
      { flags: '--port <number>', about: 'port to listen on, instead of daemon.port; 0: any free one', kind: 'whole' },
      { flags: '--until-idle', about: 'end after daemon.idle_minutes without work, as a daemon does that a command has started' },
    ],
    examples: [
      ['reeve serve', 'until Ctrl-C; steps at work get daemon.drain_seconds to end'],
      ['reeve serve --port 8080', 'at another port'],
    ],
    exits: [0, 2, 3],
    load: async () => (await import('../commands/serve.ts')).serve,
  },
  {
    name: 'daemon status',
    group: 'server',
    summary: 'Tell whether a daemon is there, where it listens and what it works on; starts none',
    examples: [
      ['reeve daemon status', 'exit code 4: none is there'],
      ['reeve daemon status --json', 'for a program: its address, its files'],
    ],
    exits: [0, 2, 3, 4],
    load: async () => (await import('../commands/daemon.ts')).daemonStatus,
  },
  {
    name: 'daemon stop',
    group: 'server',
    summary: 'End the daemon once its steps at work have ended, and wait until it is gone',
    options: [NOW],
    examples: [['reeve daemon stop', 'its runs go on with the next daemon']],
    exits: [0, 2, 3],
    load: async () => (await import('../commands/daemon.ts')).daemonStop,
  },
  {
    name: 'daemon restart',
    group: 'server',
    summary: 'End the daemon and start another one in the background',
    options: [NOW],
    examples: [['reeve daemon restart', 'after an update, or a change of [daemon] in config.toml']],
    exits: [0, 2, 3],
    load: async () => (await import('../commands/daemon.ts')).daemonRestart,
  },
  {
    name: 'daemon logs',
    group: 'server',
    summary: "Print the daemon's log",
    options: [
      { flags: '-f, --follow', about: 'go on with what is written from now on' },
      { flags: '-n, --lines <number>', about: 'last lines to print (default: 50)', kind: 'whole' },
    ],
    examples: [
      ['reeve daemon logs -f', 'until Ctrl-C'],
      ['reeve daemon logs -n 200 --json', 'its lines as they are in the file'],
    ],
    exits: [0, 2, 3, 130],
    load: async () => (await import('../commands/daemon.ts')).daemonLogs,
  },
]
