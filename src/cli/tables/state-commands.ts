import { RUN } from '../command-options.ts'
import type { CommandSpec } from '../command-spec.ts'

const FOLDER = { name: '<folder>', about: 'folder of the backup' }

/** Commands that tell how reeve is, and keep what it has. */
export const STATE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'diagnose',
    group: 'look',
    summary: 'Tell why a run is not further or how it ended, and what to do next',
    args: [RUN],
    examples: [
      ['reeve diagnose last', 'one sentence, what shows it, commands that help'],
      ['reeve diagnose r0k3hx --json', 'with causes as words that programs can look for'],
    ],
    exits: [0, 2, 3, 4],
    load: async () => (await import('../commands/diagnose.ts')).diagnose,
  },
  {
    name: 'backup',
    group: 'server',
    summary: 'Write a backup of all runs, evidence, keys and trust into a new folder, while runs go on',
    args: [FOLDER],
    examples: [['reeve backup ~/backups/reeve-monday', 'the folder must not be there yet']],
    exits: [0, 2, 3],
    load: async () => (await import('../commands/state.ts')).backup,
  },
  {
    name: 'restore',
    group: 'server',
    summary: 'Put a backup in the place of what is there, which is kept; end the daemon first',
    args: [FOLDER],
    options: [
      { flags: '--check', about: 'only say whether it is whole and could be restored' },
      { flags: '--yes', about: 'do not ask' },
    ],
    examples: [
      ['reeve restore --check ~/backups/reeve-monday', 'changes nothing'],
      ['reeve daemon stop && reeve restore ~/backups/reeve-monday', 'asks first'],
    ],
    exits: [0, 2, 3],
    load: async () => (await import('../commands/state.ts')).restore,
  },
]
