import type { OptionSpec } from './command-spec.ts'

/** Arguments and options that several commands have. */
export const RUN = { name: '<run>', about: 'id of the run, a part of it that fits one run only, or "last"' }
export const KINDS = ['feature', 'bugfix', 'refactor', 'docs', 'chore', 'test']
export const ACCEPT: readonly OptionSpec[] = [
  {
    flags: '--accept-isolation <level>',
    about: 'the lowest level of isolation that you accept this time',
    choices: ['guarded', 'os-sandbox', 'container'],
  },
  { flags: '--i-understand-no-sandbox', about: 'programs may do whatever you may' },
]
export const TRUST: OptionSpec = { flags: '--trust', about: "let the project's providers do what its reeve.toml says of them, this time" }
export const CHOICES: readonly OptionSpec[] = [
  { flags: '--workflow <name>', about: 'workflow: build or direct' },
  { flags: '--provider <name>', about: 'provider that is asked first' },
  { flags: '--autonomy <level>', about: 'how far the run goes without a person', choices: ['manual', 'supervised', 'autonomous'] },
  { flags: '--max-attempts <n>', about: 'attempts before the run gives up', kind: 'whole' },
  { flags: '--max-usd <n>', about: 'US dollars that the run may use', kind: 'number' },
  { flags: '--max-tokens <n>', about: 'tokens that the run may use', kind: 'whole' },
  { flags: '--record', about: 'keep every exchange with a provider, for reeve replay' },
  { flags: '--base <commit>', about: 'branch or commit to begin from' },
  { flags: '--land <how>', about: 'how a green run lands by itself', choices: ['none', 'branch', 'merge', 'squash'] },
  { flags: '--timeout <minutes>', about: 'time the run may be worked on', kind: 'number' },
  ...ACCEPT,
  TRUST,
]
export const DETACH: OptionSpec = { flags: '--detach', about: 'only queue it, and do not look on' }
export const NO_WAIT: OptionSpec = { flags: '--no-wait', about: 'only note the decision; go on with: reeve resume' }
