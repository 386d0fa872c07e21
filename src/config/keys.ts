import { allowed, type Shape, settingsShape } from './shape.ts'

/** What each key of the settings is for, in a sentence. `<name>` stands for a free name. */
export const KEY_NOTES: Record<string, string> = {
  'project.base': 'Branch or commit that runs begin from; what is checked out when absent.',
  'project.setup':
    'Commands that install what the project needs, run in each fresh workspace; what they install is cached by the lockfiles.',
  'project.protected': "Paths (globs) that no agent may change, besides reeve's own list.",
  'gates.<name>.command': 'A command line, run by `sh -c`. Absent: what is detected. A gate with a name of your own needs one.',
  'gates.<name>.cwd': 'Folder it runs in, from the root of the project.',
  'gates.<name>.enabled': '`false`: never run this gate.',
  'gates.<name>.timeout_seconds': 'Limit of this gate; else `runs.gate_timeout_minutes`.',
  'gates.<name>.report': 'Report file that the command writes; read instead of the exit code alone.',
  'gates.<name>.report_format': 'Format of `report`.',
  'gates.coverage.threshold': 'Percent of the changed lines that tests must reach.',
  'gates.coverage.below': 'What it means when they do not.',
  'providers.order': 'Who is asked first, and who next when one fails.',
  'providers.<name>.kind': 'What speaks there.',
  'providers.<name>.base_url': 'The server; needed for `openai-compatible`.',
  'providers.<name>.model': 'The model, by the name its server knows.',
  'providers.<name>.api_key_env': 'Name of the environment variable that holds the key. Never the key.',
  'providers.<name>.headers': 'Extra request headers. `{run}`, `{step}`, `{role}`, `{task}`, `{attempt}` are replaced.',
  'providers.<name>.file': 'For `scripted`: the YAML file of its replies, from the root of the project.',
  'providers.<name>.max_tokens': 'Tokens of one answer at most.',
  'providers.<name>.temperature': "Sampling temperature; the server's own when absent.",
  'providers.<name>.request_timeout_seconds': 'Limit of one answer.',
  'providers.<name>.idle_timeout_seconds': 'Silence in the stream longer than this is a failure.',
  'providers.<name>.max_retries': 'How often a call is tried again after an error that may pass.',
  'providers.<name>.context_tokens': 'Tokens the model reads at most.',
  'providers.<name>.price.input': 'US dollars per million tokens read; overrides the table of prices.',
  'providers.<name>.price.output': 'US dollars per million tokens written.',
  'providers.<name>.price.cached_input': "US dollars per million tokens read from the server's cache.",
  'runs.workflow': '`build`: plan, tests first, parts; `direct`: one agent, the same proof.',
  'runs.max_attempts': 'Attempts of a part before the run gives up.',
  'runs.autonomy':
    'How far a run goes by itself: `manual` asks after the plan and before landing, `supervised` before landing, `autonomous` only when a risk rule says so. Absent: it asks nothing and lands nothing, and your `reeve land` is the yes; with `land` it asks before landing.',
  'runs.timeout_minutes': 'Time a run may be worked on, without waits for people.',
  'runs.max_concurrent': 'Runs at work at the same time.',
  'runs.land': 'How a green run lands by itself. Absent: `branch` where `autonomy` is set, else `none`.',
  'runs.refine': 'A refiner tidies the green change; kept only if the gates stay green.',
  'runs.max_usd': 'Money a run may spend, in US dollars.',
  'runs.max_tokens': 'Tokens a run may use.',
  'runs.step_timeout_minutes': 'Limit of one step.',
  'runs.gate_timeout_minutes': 'Limit of one gate command.',
  'runs.max_steps': 'Turns of one agent at most; a role may say less.',
  'sandbox.level':
    'How programs of runs are held: `auto` takes the strongest that this machine has, but no container, which needs an image. A project may raise it, not lower it.',
  'sandbox.minimum':
    'Below this level a run does not start. Absent: `os-sandbox` where an agent may run commands or write code, `guarded` where it may not and in a `manual` run. A project may raise it, not lower it.',
  'sandbox.read': 'More folders and files that programs may read, such as a toolchain below your home. Only from your own configuration.',
  'sandbox.hosts': 'More hosts that setup commands may reach, besides the registries that the lockfiles name: `name` or `name:port`.',
  'sandbox.private_hosts':
    'The same for hosts with a private address, such as a registry in your own network. Only from your own configuration.',
  'sandbox.install_scripts': 'May packages run scripts of their own while they are installed?',
  'sandbox.image': 'Image for `container`.',
  'sandbox.limits.memory_mb': "Memory of a run's programs together.",
  'sandbox.limits.processes': "Processes and threads of a run's programs together.",
  'sandbox.limits.open_files': 'Open files of one process.',
  'sandbox.limits.file_size_mb': 'Size of one file.',
  'sandbox.limits.disk_mb': "What the run's folders may grow by.",
  'sandbox.limits.files': 'Files and folders that a run may add.',
  'sandbox.limits.install_files': 'Files and folders that setup commands may add.',
  'sandbox.limits.tmp_mb': 'The private `/tmp` of each program, in memory.',
  'sandbox.limits.shared_memory_mb': 'The private `/dev/shm` of each program.',
  'sandbox.limits.cpu_percent': '100 is one processor. Absent: programs of runs have low priority and no fixed share.',
  'sandbox.limits.cpu_seconds': 'Processor seconds of one command with all it starts.',
  'sandbox.limits.output_mb': 'Output of one command.',
  'files.max_size_mb': 'Size of one file that an agent reads or writes with its tools.',
  'files.max_files': 'Files that one agent may write or delete in one step.',
  'files.extensions': 'Extensions that agents may write, such as `[".ts", ".md"]`; a file without one is named whole. Empty: all.',
  'files.forbidden': "Globs of files that the tools of agents neither read, list, search nor write. Your list replaces reeve's.",
  'tests.files': 'Which files are tests, as globs, where the usual places are not enough.',
}

export interface KeyEntry {
  /** Dotted, with `<name>` for free names. */
  key: string
  allowed: string
  /** As it would be written in TOML; '' where there is none. */
  default: string
  note: string
}

/** Every key of the settings with what it allows, from the schema. Gates share their keys; only what `coverage` has of its own is listed for it. */
export function settingKeys(): KeyEntry[] {
  const all = keysOf(settingsShape, [])
  const shared = new Set(all.map((it) => it.key).filter((it) => it.startsWith('gates.<name>.')))
  return all.filter(({ key }) => {
    const [top, name, rest] = key.split('.')
    return top !== 'gates' || name === '<name>' || !shared.has(`gates.<name>.${rest}`)
  })
}

function keysOf(shape: Shape, path: readonly string[]): KeyEntry[] {
  const free = typeof shape.additionalProperties === 'object' ? shape.additionalProperties : undefined
  const isTable = shape.type === 'object' && (shape.properties !== undefined || free?.type === 'object')
  if (!isTable) return [entryOf(shape, path.join('.'))]
  const known = Object.entries(shape.properties ?? {}).flatMap(([key, inner]) => keysOf(inner, [...path, key]))
  return [...known, ...(free ? keysOf(free, [...path, '<name>']) : [])]
}

function entryOf(shape: Shape, key: string): KeyEntry {
  return {
    key,
    allowed: shape.type === 'object' ? 'a table of texts' : allowed(shape),
    default: shape.default === undefined || shape.type === 'object' ? '' : JSON.stringify(shape.default),
    note: KEY_NOTES[key] ?? '',
  }
}
