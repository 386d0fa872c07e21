import type { ExitCode } from './exits.ts'
import type { Io } from './io.ts'

/** What a command does. Returns its exit code; throws `ReeveError`. */
export type CommandRun = (io: Io, args: readonly string[], options: Options) => Promise<number>
export type Options = Readonly<Record<string, unknown>>

export interface OptionSpec {
  flags: string
  about: string
  /** Absent: a text, or a switch where `flags` names no value. */
  kind?: 'whole' | 'number'
  choices?: readonly string[]
  /** May be given several times. */
  many?: boolean
}

/** Headings of `reeve --help`. */
export const GROUPS = {
  start: 'Begin:',
  look: 'Look:',
  steer: 'Decide and steer:',
  tools: 'Without a model:',
  settings: 'Settings:',
} as const

/** A command of `reeve`. Its behaviour is loaded only when it is called. */
export interface CommandSpec {
  /** `config show` is a command below `config`. */
  name: string
  group: keyof typeof GROUPS
  summary: string
  /** In the parser's notation: `<needed>`, `[optional]`, `[many...]`. */
  args?: readonly { name: string; about: string }[]
  options?: readonly OptionSpec[]
  /** Command line and what it does. */
  examples: readonly (readonly [line: string, what: string])[]
  exits: readonly ExitCode[]
  load(): Promise<CommandRun>
}

const RUN = { name: '<run>', about: 'id of the run, a part of it that fits one run only, or "last"' }
const KINDS = ['feature', 'bugfix', 'refactor', 'docs', 'chore', 'test']
const ACCEPT: readonly OptionSpec[] = [
  {
    flags: '--accept-isolation <level>',
    about: 'the lowest level of isolation that you accept this time',
    choices: ['guarded', 'os-sandbox', 'container'],
  },
  { flags: '--i-understand-no-sandbox', about: 'programs may do whatever you may' },
]
const CHOICES: readonly OptionSpec[] = [
  { flags: '--workflow <name>', about: 'workflow: build or direct' },
  { flags: '--provider <name>', about: 'provider that is asked first' },
  { flags: '--autonomy <level>', about: 'how far the run goes without a person', choices: ['manual', 'supervised', 'autonomous'] },
  { flags: '--max-attempts <n>', about: 'attempts before the run gives up', kind: 'whole' },
  { flags: '--base <commit>', about: 'branch or commit to begin from' },
  { flags: '--land <how>', about: 'how a green run lands by itself', choices: ['none', 'branch', 'merge', 'squash'] },
  { flags: '--timeout <minutes>', about: 'time the run may be worked on', kind: 'number' },
  ...ACCEPT,
  { flags: '--trust', about: "let the project's providers do what its reeve.toml says of them, this time" },
]
const DETACH: OptionSpec = { flags: '--detach', about: 'only queue it; go on with: reeve resume' }
const NO_WAIT: OptionSpec = { flags: '--no-wait', about: 'only note the decision; go on with: reeve resume' }

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'init',
    group: 'start',
    summary: 'Write a commented reeve.toml from what the repository shows',
    examples: [['reeve init', 'look at the repository and write reeve.toml']],
    exits: [0, 2, 3],
    load: async () => (await import('./commands/init.ts')).init,
  },
  {
    name: 'run',
    group: 'start',
    summary: 'Take tasks from words or files to a verified commit',
    args: [{ name: '[task...]', about: 'what is wanted, in words; "-" reads it from standard input' }],
    options: [
      { flags: '-f, --file <path>', about: 'task file, YAML or JSON; may be given several times', many: true },
      { flags: '--kind <kind>', about: 'kind of change; it decides which proof is asked for', choices: KINDS },
      { flags: '--role <name>', about: 'role that implements' },
      { flags: '--target-dir <dir>', about: 'folder of the repository to work in' },
      ...CHOICES,
      { flags: '--key <key>', about: 'the same key a second time finds the run that is there already' },
      DETACH,
    ],
    examples: [
      ['reeve run "Add a --json flag to the export command"', 'one task in words'],
      ['reeve run --file tasks.yaml --max-attempts 2', 'all tasks of a file'],
      ['reeve run "Fix the rounding of negative prices" --kind bugfix --json', 'events as NDJSON, the last line is the finished run'],
    ],
    exits: [0, 1, 2, 3, 5, 130],
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    name: 'ls',
    group: 'look',
    summary: 'List runs, the newest first',
    options: [
      { flags: '-a, --all', about: 'of all projects' },
      {
        flags: '--status <status>',
        about: 'only these; may be given several times',
        many: true,
        choices: ['queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled'],
      },
      { flags: '-n, --limit <n>', about: 'at most so many (20)', kind: 'whole' },
    ],
    examples: [['reeve ls --status failed', 'runs that failed']],
    exits: [0, 2, 3],
    load: async () => (await import('./commands/ls.ts')).ls,
  },
  {
    name: 'show',
    group: 'look',
    summary: 'Show a run: steps, verdict, proof, what to do next',
    args: [RUN],
    examples: [
      ['reeve show last', 'the newest run'],
      ['reeve show r0k3hx --json', 'everything for a program'],
    ],
    exits: [0, 2, 4],
    load: async () => (await import('./commands/show.ts')).show,
  },
  {
    name: 'logs',
    group: 'look',
    summary: 'Print the events of a run',
    args: [RUN],
    options: [
      { flags: '-f, --follow', about: 'stay until the run has ended' },
      { flags: '--after <n>', about: 'only events with a higher number', kind: 'whole' },
    ],
    examples: [['reeve logs -f last', 'watch a run that another process works on']],
    exits: [0, 2, 4, 130],
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  {
    name: 'diff',
    group: 'look',
    summary: 'Print what a run has changed',
    args: [RUN],
    options: [{ flags: '--stat', about: 'only the files with their counts' }],
    examples: [['reeve diff last | less', 'read the change']],
    exits: [0, 2, 4],
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  {
    name: 'land',
    group: 'steer',
    summary: 'Bring a green run into your repository: its branch, a merge, a squash',
    args: [RUN],
    options: [
      { flags: '--merge', about: 'merge it into the branch you are on' },
      { flags: '--squash', about: 'put it on the branch you are on as one commit' },
      { flags: '--branch <name>', about: "make this branch instead of the run's own" },
      { flags: '--force', about: 'also with a red verdict; the commit says so' },
    ],
    examples: [
      ['reeve land last', 'make the branch'],
      ['reeve land r0k3hx --squash', 'one commit on the current branch'],
    ],
    exits: [0, 1, 2, 3, 4],
    load: async () => (await import('./commands/land.ts')).land,
  },
  {
    name: 'retry',
    group: 'steer',
    summary: 'Start a fresh run of the same task',
    args: [RUN],
    options: [...CHOICES, DETACH],
    examples: [['reeve retry last --provider local', 'the same task with another provider']],
    exits: [0, 1, 2, 3, 4, 5, 130],
    load: async () => (await import('./commands/retry.ts')).retry,
  },
  {
    name: 'stop',
    group: 'steer',
    summary: 'Stop a run for good; what it has written is kept',
    args: [RUN],
    examples: [['reeve stop r0k3hx', 'cancel it, wherever it runs']],
    exits: [0, 2, 4],
    load: async () => (await import('./commands/signals.ts')).stop,
  },
  {
    name: 'pause',
    group: 'steer',
    summary: 'Hold a run before its next step',
    args: [RUN],
    examples: [['reeve pause last', 'go on later with: reeve resume last']],
    exits: [0, 2, 4],
    load: async () => (await import('./commands/signals.ts')).pause,
  },
  {
    name: 'resume',
    group: 'steer',
    summary: 'Go on with paused, detached and crashed runs; without a run, all of the project',
    args: [{ name: '[run]', about: RUN.about }],
    options: ACCEPT,
    examples: [['reeve resume', 'everything that can go on']],
    exits: [0, 1, 2, 3, 4, 5, 130],
    load: async () => (await import('./commands/resume.ts')).resume,
  },
  {
    name: 'approve',
    group: 'steer',
    summary: 'Say yes to what a run asks, and go on with it',
    args: [RUN],
    options: [{ flags: '--comment <text>', about: 'kept with the decision' }, NO_WAIT],
    examples: [['reeve approve last', 'yes, and go on in this terminal']],
    exits: [0, 1, 2, 3, 4, 5, 130],
    load: async () => (await import('./commands/signals.ts')).approve,
  },
  {
    name: 'reject',
    group: 'steer',
    summary: 'Say no to what a run asks, and go on with it',
    args: [RUN],
    options: [{ flags: '--reason <text>', about: 'kept with the decision, and told to the run' }, NO_WAIT],
    examples: [['reeve reject last --reason "the plan misses the API"', 'no, with the reason']],
    exits: [0, 1, 2, 3, 4, 5, 130],
    load: async () => (await import('./commands/signals.ts')).reject,
  },
  {
    name: 'send',
    group: 'steer',
    summary: 'Give a run an instruction; its next agent gets it',
    args: [RUN, { name: '<text...>', about: 'the instruction' }],
    examples: [['reeve send last "use the existing parser"', 'steer it']],
    exits: [0, 2, 4],
    load: async () => (await import('./commands/signals.ts')).send,
  },
  {
    name: 'rescue',
    group: 'steer',
    summary: 'List what agents have written in a run, and bring it back',
    args: [RUN],
    options: [
      { flags: '--attempt <n>', about: 'bring back this one', kind: 'whole' },
      { flags: '--to <folder>', about: 'into this new folder' },
      { flags: '--branch <name>', about: 'as this new branch (default: rescue/<run>-<n>)' },
    ],
    examples: [
      ['reeve rescue last', 'list the kept attempts'],
      ['reeve rescue last --attempt 1 --to ../attempt-1', 'its files in a folder'],
    ],
    exits: [0, 2, 3, 4],
    load: async () => (await import('./commands/rescue.ts')).rescue,
  },
  {
    name: 'clean',
    group: 'steer',
    summary: 'Remove workspaces of runs that have ended; their work stays in git',
    args: [{ name: '[run]', about: RUN.about }],
    options: [{ flags: '-a, --all', about: 'of all projects' }],
    examples: [['reeve clean', 'all ended runs of this project']],
    exits: [0, 2, 3, 4],
    load: async () => (await import('./commands/clean.ts')).clean,
  },
  {
    name: 'scan',
    group: 'tools',
    summary: 'Tell what a repository is: languages, tests, commands, and why',
    args: [{ name: '[path]', about: 'folder; the current one when absent' }],
    options: [
      { flags: '--symbols', about: 'also list classes, functions and types' },
      { flags: '--map', about: 'also print the ranked map that agents get' },
    ],
    examples: [
      ['reeve scan --map', 'what an agent sees at first'],
      ['reeve scan --json', 'for a program, with symbols and map'],
    ],
    exits: [0, 2, 3, 4],
    load: async () => (await import('./commands/scan.ts')).scan,
  },
  {
    name: 'gate',
    group: 'tools',
    summary: 'Run the gates on a checkout, with no model and no run',
    args: [{ name: '[path]', about: 'folder; the current one when absent' }],
    options: [
      { flags: '--base <commit>', about: 'judge relative to this commit: whose failure is it?' },
      { flags: '--only <gate>', about: 'only this gate; may be given several times', many: true },
      { flags: '--kind <kind>', about: 'kind of the change: also ask for the proof that it needs', choices: KINDS },
    ],
    examples: [
      ['reeve gate', 'build, types, lint, tests, coverage of this folder'],
      ['reeve gate --base main --json', 'what the change since main has broken'],
    ],
    exits: [0, 1, 2, 3, 4],
    load: async () => (await import('./commands/gate.ts')).gate,
  },
  {
    name: 'verify',
    group: 'tools',
    summary: 'Do the checks of a finished run again in a clean clone: MATCH or MISMATCH',
    args: [RUN],
    options: ACCEPT,
    examples: [['reeve verify last', 'is the evidence true?']],
    exits: [0, 1, 2, 3, 4],
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  {
    name: 'roles',
    group: 'settings',
    summary: 'List the roles and what each may do',
    examples: [['reeve roles', 'built-in ones and those of .reeve/roles/']],
    exits: [0, 2, 3],
    load: async () => (await import('./commands/roles.ts')).roles,
  },
  {
    name: 'config show',
    group: 'settings',
    summary: 'Show the settings in force and where each comes from',
    examples: [['reeve config show', 'every key with its origin']],
    exits: [0, 2, 3],
    load: async () => (await import('./commands/config.ts')).configShow,
  },
  {
    name: 'config validate',
    group: 'settings',
    summary: 'Check all configuration files and variables',
    examples: [['reeve config validate', 'says file:line of what is wrong']],
    exits: [0, 2, 3],
    load: async () => (await import('./commands/config.ts')).configValidate,
  },
  {
    name: 'trust',
    group: 'settings',
    summary: "Let this project's providers do what its reeve.toml says of them, until it says something else",
    examples: [['reeve trust', 'you have read reeve.toml, and agree']],
    exits: [0, 2, 3],
    load: async () => (await import('./commands/trust.ts')).trust,
  },
  {
    name: 'doctor',
    group: 'start',
    summary: 'Check this machine and this project: what is there, what is missing, how to get it',
    examples: [['reeve doctor', 'before the first run']],
    exits: [0, 2, 3],
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'explain',
    group: 'look',
    summary: 'Explain an error code, or the decisions of a run',
    args: [{ name: '<what>', about: 'an error code, or a run' }],
    examples: [
      ['reeve explain red_verdict', 'what it means and what to do'],
      ['reeve explain last', 'why this provider, why this verdict'],
    ],
    exits: [0, 2, 4],
    load: async () => (await import('./commands/explain.ts')).explain,
  },
  {
    name: 'demo',
    group: 'start',
    summary: 'Take a small task through everything, with scripted replies: no key, no network',
    options: [{ flags: '--keep', about: 'leave its folder for a look' }],
    examples: [['reeve demo', 'about a minute']],
    exits: [0, 1, 3],
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  {
    name: 'version',
    group: 'start',
    summary: 'Print the version',
    examples: [['reeve version --json', 'with those of Node and git']],
    exits: [0],
    load: async () => (await import('./commands/version.ts')).version,
  },
  {
    name: 'completion',
    group: 'start',
    summary: 'Print the completion script of a shell',
    args: [{ name: '<shell>', about: 'bash, zsh or fish' }],
    examples: [['source <(reeve completion bash)', 'in ~/.bashrc']],
    exits: [0, 2],
    load: async () => (await import('./commands/completion.ts')).completion,
  },
]
