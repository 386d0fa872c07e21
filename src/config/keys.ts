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
  'providers.<name>.api_key_file': 'File that holds the key and nothing else, readable by you alone: absolute, or from `~/`.',
  'providers.<name>.headers': 'Extra request headers. `{run}`, `{step}`, `{role}`, `{task}`, `{attempt}` are replaced.',
  'providers.<name>.file':
    'For `scripted` the YAML file of its replies, for `replay` a cassette or the id of a recorded run, for `llamacpp` a GGUF file or the name of an added model.',
  'providers.<name>.module': 'For `plugin`: the module, a path from the root of the project or the name of a package.',
  'providers.<name>.options': 'For `plugin`: handed to the module as it is. Never secrets.',
  'providers.<name>.give_up_seconds': 'No more tries of one call after this time: the next provider takes over.',
  'providers.<name>.first_byte_timeout_seconds': 'Silence before the first byte of an answer.',
  'providers.<name>.style':
    '`tools`: the model calls tools; `proposals`: it answers with data that reeve applies. Absent: by the kind, and by what the server can do.',
  'providers.<name>.dialect': 'For `openai-compatible`: what the server is. Absent: it is asked once.',
  'providers.<name>.keep_alive': 'For `ollama`: how long the model stays loaded, such as "10m".',
  'providers.<name>.threads': 'For `llamacpp`: threads of the engine.',
  'providers.<name>.memory_mb': "For `llamacpp`: memory of the engine's process at most.",
  'providers.<name>.load_timeout_seconds': 'For `llamacpp`: limit for loading the model.',
  'providers.<name>.binary': 'For CLI agents: the program, a name on the search path or an absolute path.',
  'providers.<name>.args': "For CLI agents: more arguments, after reeve's own; for `command` and `acp` all of them.",
  'providers.<name>.mode': 'For CLI agents: run once per step, or driven by the Agent Client Protocol.',
  'providers.<name>.login': 'For CLI agents: use your own log-in of that CLI instead of a key.',
  'providers.<name>.meter':
    "For CLI agents: their requests pass reeve's own proxy, which holds the key and counts. `false`: they are given the key itself.",
  'providers.<name>.env': 'For CLI agents: more environment variables. Never secrets.',
  'providers.<name>.secrets_env': 'For CLI agents: names of variables of your environment that the program is given.',
  'providers.<name>.hosts': "For CLI agents: hosts that it may reach besides its provider's.",
  'providers.<name>.prompt': 'For `command`: how the prompt goes in.',
  'providers.<name>.output': 'For `command`: how the result comes out.',
  'providers.<name>.result': 'For `command`: dotted paths of the fields of its JSON.',
  'providers.<name>.account': "Providers of the same account share its limits. Absent: the provider's own name.",
  'providers.<name>.max_concurrent': 'Requests at the same time, over all runs and processes.',
  'providers.<name>.requests_per_minute': 'Requests in any minute, over all runs and processes.',
  'providers.<name>.tokens_per_minute': 'Tokens in any minute, over all runs and processes.',
  'providers.<name>.burst': "Requests that may go at once. Absent: all of a minute's.",
  'providers.<name>.priority': 'Higher is asked first, before the order.',
  'providers.<name>.breaker.failures': 'After so many failures in a row the provider is left alone for a while.',
  'providers.<name>.breaker.recovery_seconds': 'How long; then one request tries it again.',
  'providers.<name>.price.cache_write': "US dollars per million tokens put into the server's cache.",
  'routing.roles': 'Providers that a role asks first, before its own preferences and the order.',
  'network.proxy': 'Proxy for model APIs. Absent: that of the environment. Only from your own configuration.',
  'network.no_proxy': 'Hosts that are reached without it.',
  'network.ca_bundle': 'PEM file of authorities that are trusted besides the usual ones. Only from your own configuration.',
  'network.connect_timeout_seconds': 'Limit for making a connection.',
  'prices.<name>.input': 'US dollars per million tokens read by the model of this name; overrides the built-in table.',
  'prices.<name>.output': 'US dollars per million tokens written.',
  'prices.<name>.cached_input': "US dollars per million tokens read from the server's cache.",
  'prices.<name>.cache_write': "US dollars per million tokens put into the server's cache.",
  'runs.max_attempt_usd': 'Money one attempt may use, with its review.',
  'runs.max_step_usd': 'Money one try of a step may use; reserved before it begins. Absent: what the run has left.',
  'runs.record': 'Keep every exchange with a provider, so that it can be replayed.',
  'providers.<name>.max_tokens': 'Tokens of one answer at most. Of CLI agents only `droid`, `opencode` and `pi` take it.',
  'providers.<name>.temperature': "Sampling temperature; the server's own when absent. Not for CLI agents.",
  'providers.<name>.request_timeout_seconds': 'Limit of one answer.',
  'providers.<name>.idle_timeout_seconds': 'Silence in the stream longer than this is a failure.',
  'providers.<name>.max_retries':
    'How often a call is tried again after an error that may pass. CLI agents try again by themselves, as long as `give_up_seconds` says.',
  'providers.<name>.context_tokens': 'Tokens the model reads at most.',
  'providers.<name>.price.input': 'US dollars per million tokens read; overrides the table of prices.',
  'providers.<name>.price.output': 'US dollars per million tokens written.',
  'providers.<name>.price.cached_input': "US dollars per million tokens read from the server's cache.",
  'runs.workflow': '`build`: plan, tests first, parts; `direct`: one agent, the same proof.',
  'runs.max_attempts': 'Attempts of a part before the run gives up.',
  'runs.autonomy':
    'How far a run goes by itself: `manual` asks after the plan and before landing, `supervised` before landing, `autonomous` only when a risk rule says so. Absent: it asks nothing and lands nothing, and your `reeve land` is the yes; with `land` it asks before landing.',
  'runs.timeout_minutes': 'Time a run may be worked on, without waits for people.',
  'runs.max_concurrent': 'Runs of the project at work at the same time, over all processes.',
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
  'daemon.host': 'Address of the HTTP server. Beyond this machine it needs TLS and API keys. Only from your own configuration.',
  'daemon.port': 'Its port. Where it is taken, another free one: see `reeve daemon status`.',
  'daemon.tls_cert': 'PEM file of the certificate.',
  'daemon.tls_key': 'PEM file of its key.',
  'daemon.hosts': 'More names under which it is reached: what requests may say in `Host`.',
  'daemon.idle_minutes':
    'A daemon that a command has started ends by itself after so long without a run at work, a run that will start by itself, or a client.',
  'daemon.drain_seconds': 'How long a stop waits for steps at work to end.',
  'daemon.log_level': 'What its log says.',
  'daemon.log_size_mb': 'Size at which a new log file is begun.',
  'daemon.log_files': 'Log files that are kept.',
  'daemon.requests_per_minute': 'Requests of one caller in any minute.',
  'queue.max_concurrent': 'Runs at work at the same time, of all projects; `runs.max_concurrent` holds for each project besides.',
  'queue.roles': 'Runs at work at the same time by role, such as `{ backend = 2 }`.',
  'queue.providers': 'Runs at work at the same time that ask for a provider first, such as `{ claude = 2 }`.',
  'webhooks.<name>.url': 'Where events are posted to.',
  'webhooks.<name>.events': 'Types of events; `run.*` for all of a kind.',
  'webhooks.<name>.projects': 'Roots of the projects it is told of. Empty: all.',
  'webhooks.<name>.secret_env': 'Name of the environment variable that holds the key of the signatures.',
  'webhooks.<name>.timeout_seconds': 'Limit of one try.',
  'webhooks.<name>.max_tries': 'Tries of one delivery, with growing pauses.',
  'telemetry.otlp_endpoint': 'Where traces go by OTLP over HTTP. Absent: nowhere.',
  'mcp.approve':
    'May a program say yes to what a run asks by `ai_coder_control`, with no person shown the question? Only from your own configuration.',
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
