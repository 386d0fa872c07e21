import type { CommandSpec } from '../command-spec.ts'

/** Who may call, and who has called. */
export const ACCESS_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'keys add',
    group: 'settings',
    summary: 'Make an API key for a program; it is shown once',
    args: [{ name: '<name>', about: 'what it is called in records' }],
    options: [
      { flags: '--role <role>', about: 'what it may do (default: viewer)', choices: ['viewer', 'operator', 'admin'] },
      { flags: '--also <path>', about: 'another project it may see, besides the current one', many: true },
      { flags: '--all-projects', about: 'it may see all projects' },
      { flags: '--expires <when>', about: 'when it ends: 12h, 30d, 8w, or never (default: 90d)' },
    ],
    examples: [
      ['reeve keys add ci --role operator --project . --expires 30d', 'starts and steers runs of this project'],
      ['reeve keys add board', 'only reads'],
    ],
    exits: [0, 2, 3],
    load: async () => (await import('../commands/keys.ts')).keysAdd,
  },
  {
    name: 'keys list',
    group: 'settings',
    summary: 'List the API keys: what each may do, until when, and when it was used',
    options: [{ flags: '--all', about: 'also expired and revoked ones' }],
    examples: [['reeve keys list', 'which programs may come in']],
    exits: [0, 3],
    load: async () => (await import('../commands/keys.ts')).keysList,
  },
  {
    name: 'keys revoke',
    group: 'settings',
    summary: 'End an API key at once',
    args: [{ name: '<key>', about: 'its name or its id' }],
    examples: [['reeve keys revoke ci', 'nobody gets in with it any more']],
    exits: [0, 3, 4],
    load: async () => (await import('../commands/keys.ts')).keysRevoke,
  },
  {
    name: 'audit list',
    group: 'look',
    summary: 'List what was asked for: who, what, on what, from where, and what came of it',
    options: [
      { flags: '--since <when>', about: 'only since then: 24h, 7d, or a day such as 2026-11-01' },
      { flags: '--actor <name>', about: 'only of this caller, such as key:ci' },
      { flags: '--limit <n>', about: 'so many, the newest (default: 100)', kind: 'whole' },
    ],
    examples: [['reeve audit list --since 24h --actor key:ci', 'what a program has done since yesterday']],
    exits: [0, 2, 3],
    load: async () => (await import('../commands/audit.ts')).auditList,
  },
  {
    name: 'audit verify',
    group: 'look',
    summary: 'Check that this record is as it was written; names the first line that is not',
    options: [{ flags: '--head <end>', about: 'an end that an earlier check has printed' }],
    examples: [['reeve audit verify', 'nobody has changed, removed or added a line']],
    exits: [0, 1, 2, 3],
    load: async () => (await import('../commands/audit.ts')).auditVerify,
  },
]
