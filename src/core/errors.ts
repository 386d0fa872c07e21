/** What a caller can be told. `{name}` is replaced by the detail of that name. Exit codes: see docs/reference/exit-codes.md. */
export interface ErrorEntry {
  status: number
  exit: 1 | 2 | 3 | 4 | 5 | 130
  message: string
  hint?: string
}

export const ERRORS = {
  not_a_repository: {
    status: 400,
    exit: 3,
    message: '"{path}" is not inside a git repository.',
    hint: 'Change into your project, or make one: git init && git add -A && git commit -m "First commit"',
  },
  no_commits: {
    status: 400,
    exit: 3,
    message: 'The repository "{path}" has no commits yet, so there is nothing to work from.',
    hint: 'Make one: git add -A && git commit -m "First commit"',
  },
  bare_repository: {
    status: 400,
    exit: 3,
    message: '"{path}" is a bare repository; reeve needs a checkout.',
    hint: 'Clone it: git clone {path}',
  },
  unknown_revision: { status: 400, exit: 2, message: 'No commit "{revision}" in "{path}".', hint: 'List branches with: git branch -a' },
  git_failed: { status: 500, exit: 3, message: 'git {command} failed: {problem}' },
  git_missing: { status: 500, exit: 3, message: 'git was not found on PATH.', hint: 'Install git 2.38 or newer.' },
  branch_taken: {
    status: 409,
    exit: 3,
    message: 'The branch "{branch}" exists already and was not made by this run.',
    hint: 'Delete or rename it, or land with another name: reeve land {run} --branch <name>',
  },
  run_not_found: { status: 404, exit: 4, message: 'No run "{run}".', hint: 'List runs with: reeve ls' },
  ambiguous_run: { status: 400, exit: 2, message: '"{run}" fits {count} runs: {matches}.', hint: 'Give more characters of the id.' },
  step_not_found: { status: 404, exit: 2, message: 'Run {run} has no step "{step}". Its steps: {known}.' },
  not_recorded: {
    status: 409,
    exit: 2,
    message: 'There is no recording of run {run}, so there is nothing that could answer.',
    hint: 'Name who works instead: reeve replay {run} --provider <name>   Record the next one: reeve run --record ...',
  },
  role_not_found: { status: 404, exit: 2, message: 'No role "{role}". Known roles: {known}.' },
  workflow_not_found: { status: 404, exit: 2, message: 'No workflow "{workflow}". Known workflows: {known}.' },
  provider_not_found: {
    status: 404,
    exit: 2,
    message: 'No provider "{provider}". Configured providers: {known}.',
    hint: 'Add a [providers.{provider}] table to reeve.toml',
  },
  no_provider: {
    status: 503,
    exit: 3,
    message: 'No provider is configured, so no agent can work.',
    hint: 'Add one to reeve.toml, for example: [providers.claude] kind = "claude", login = true   or: [providers.local] kind = "ollama", model = "..."',
  },
  provider_key_missing: {
    status: 503,
    exit: 3,
    message: 'Provider "{provider}" needs a key in the environment variable {variable}, which is not set.',
  },
  budget_reached: {
    status: 402,
    exit: 3,
    message: '{problem}',
    hint: 'What was written is kept: reeve rescue {run}. With more: reeve retry {run} --max-usd <n> or --max-tokens <n>',
  },
  provider_failed: { status: 503, exit: 3, message: 'Provider "{provider}" failed: {problem}' },
  no_gates: {
    status: 400,
    exit: 3,
    message: 'No gate could be found for "{path}": nothing here says how it is built or tested.',
    hint: 'Add to reeve.toml: [gates.tests] command = "..."',
  },
  gate_not_found: { status: 404, exit: 2, message: 'No gate "{gate}". Known gates: {known}.' },
  invalid_task: { status: 400, exit: 2, message: '{where}: {problem}' },
  invalid_config: { status: 400, exit: 2, message: '{where}: {problem}' },
  invalid_role: { status: 400, exit: 2, message: '{where}: {problem}' },
  invalid_json: { status: 400, exit: 2, message: '{source} is not valid JSON: {problem}' },
  invalid_input: { status: 400, exit: 2, message: '{problem}' },
  invalid_model: { status: 400, exit: 2, message: 'The model file "{path}" cannot be used: {problem}.' },
  model_not_found: {
    status: 404,
    exit: 4,
    message: 'No model "{model}". Added models: {known}.',
    hint: 'Add one with: reeve models add <file>',
  },
  model_exists: {
    status: 409,
    exit: 2,
    message: 'There is a model "{model}" already, from {file}.',
    hint: 'Take another name with --name, or remove it: reeve models remove {model}',
  },
  file_not_found: { status: 404, exit: 4, message: 'No file "{path}".' },
  dependency_cycle: { status: 400, exit: 2, message: 'These tasks depend on each other in a circle: {cycle}.' },
  wrong_state: { status: 409, exit: 2, message: 'Run {run} is {status}; {action} needs {allowed}.' },
  red_verdict: {
    status: 409,
    exit: 1,
    message: 'Run {run} has a {verdict} verdict, so it does not land.',
    hint: 'Look at it: reeve show {run}. To land it all the same: reeve land {run} --force',
  },
  dirty_checkout: {
    status: 409,
    exit: 3,
    message: 'The checkout has uncommitted changes in files this would change: {files}.',
    hint: 'Commit or stash them, or make only the branch: reeve land {run}',
  },
  merge_conflict: {
    status: 409,
    exit: 1,
    message: 'Merging {branch} into {target} conflicts in: {files}. Nothing was changed.',
    hint: 'Make only the branch and merge it yourself: reeve land {run}',
  },
  not_snapshotted: {
    status: 500,
    exit: 3,
    message: 'The workspace of run {run} holds work that is in no git ref; it is not removed.',
    hint: 'Keep it first: reeve rescue {run}',
  },
  store_locked: { status: 503, exit: 3, message: 'Another reeve process holds the data folder "{path}".' },
  store_newer: { status: 500, exit: 3, message: 'The store "{path}" was written by a newer reeve: {problem}.', hint: 'Update reeve.' },
  store_failed: { status: 500, exit: 3, message: 'The store "{path}" could not be used: {problem}' },
  fenced: { status: 409, exit: 3, message: 'Run {run} is now worked on elsewhere, or was cancelled.' },
  replay_mismatch: {
    status: 500,
    exit: 3,
    message: 'Step "{step}" of run {run} was recorded with other input; the workflow or its configuration has changed.',
    hint: 'Start it again: reeve retry {run}',
  },
  path_refused: { status: 400, exit: 2, message: 'The path "{path}" is refused: {problem}.' },
  gates_failed: { status: 200, exit: 1, message: 'The gates said no.' },
  sandbox_failed: {
    status: 503,
    exit: 3,
    message: 'The sandbox could not be started: {problem}',
    hint: 'See what this machine holds: reeve doctor',
  },
  isolation_too_low: {
    status: 409,
    exit: 3,
    message: 'The isolation of this machine is {level}, and this run needs {minimum}: {reason}',
    hint: '{improve}\nTo accept the risk for this run: {flag}',
  },
  not_trusted: {
    status: 403,
    exit: 3,
    message: 'A file of this project decides where what is yours goes, and you have not agreed to that:\n{what}',
    hint: 'If it should: reeve trust   Only for this run: --trust',
  },
  needs_approval: {
    status: 202,
    exit: 5,
    message: 'Run {run} waits for a person: {what}.',
    hint: 'Decide with: reeve approve {run}  or  reeve reject {run} --reason "..."',
  },
  needs_person: {
    status: 403,
    exit: 3,
    message: 'Run {run} asks a person: a program may not say yes by a tool call.',
    hint: 'Decide with: reeve approve {run}  or  reeve reject {run}. To let programs decide: mcp.approve = true in your own configuration.',
  },
  unauthorized: {
    status: 401,
    exit: 3,
    message: 'The caller is not known: {problem}.',
    hint: 'Send "Authorization: Bearer <token>" with an API key (reeve keys add) or the token of the daemon: the file "token" in its state folder (reeve daemon status).',
  },
  forbidden: { status: 403, exit: 3, message: '{actor} is {role} and may not {doing}: this needs {needed}.' },
  refused_request: { status: 403, exit: 3, message: 'The request is refused: {problem}.' },
  misdirected: { status: 421, exit: 3, message: 'The request is not for this server: {problem}.' },
  caller_unknown: {
    status: 409,
    exit: 3,
    message: 'The daemon does not know the caller "{caller}".',
    hint: 'Say it again: PUT /caller, over the socket.',
  },
  no_route: { status: 404, exit: 2, message: 'There is no "{route}" here.', hint: 'All routes: /api/v1/openapi.json, or read /api.' },
  method_not_allowed: { status: 405, exit: 2, message: '"{route}" does not take {method}; it takes {allowed}.' },
  unsupported_media: { status: 415, exit: 2, message: 'The body is "{type}"; allowed: {allowed}.' },
  body_too_large: { status: 413, exit: 2, message: 'The body is larger than {limit} bytes.' },
  too_many_requests: { status: 429, exit: 3, message: 'Too many requests: {problem}. Try again in {seconds} s.' },
  overloaded: { status: 503, exit: 3, message: 'The daemon has too much to do: {problem}. Try again in {seconds} s.' },
  idempotency_mismatch: {
    status: 409,
    exit: 2,
    message: 'The idempotency key "{key}" was used before with another request.',
    hint: 'Take a new key for a new request.',
  },
  key_not_found: { status: 404, exit: 4, message: 'No API key "{key}".', hint: 'List keys with: reeve keys list' },
  webhook_not_found: { status: 404, exit: 4, message: 'No webhook "{webhook}". Configured webhooks: {known}.' },
  daemon_running: {
    status: 409,
    exit: 3,
    message: 'A daemon (process {pid}) works on the data folder "{path}" already.',
    hint: 'Use it, or stop it: reeve daemon stop',
  },
  daemon_not_running: { status: 503, exit: 3, message: 'No daemon works on the data folder "{path}".', hint: 'Start one: reeve serve' },
  daemon_failed: {
    status: 503,
    exit: 3,
    message: 'The daemon cannot be used: {problem}',
    hint: 'Its log: reeve daemon logs. To work without it: --foreground',
  },
  daemon_lost: {
    status: 503,
    exit: 3,
    message: 'The daemon broke off: {problem}.',
    hint: 'What it has begun is kept and goes on with the next command: reeve ls',
  },
  draining: { status: 503, exit: 3, message: 'The daemon is being stopped and takes nothing new.', hint: 'Try again in a moment.' },
  address_taken: { status: 503, exit: 3, message: 'The address {address} cannot be listened on: {problem}.' },
  unsafe_listen: {
    status: 400,
    exit: 2,
    message: 'The daemon does not listen on "{host}": {problem}.',
    hint: 'Beyond this machine it needs TLS (daemon.tls_cert, daemon.tls_key) and an API key (reeve keys add).',
  },
  backup_mismatch: { status: 409, exit: 2, message: 'The backup "{path}" cannot be restored: {problem}.' },
  environment: { status: 503, exit: 3, message: '{problem}' },
  detached: { status: 200, exit: 130, message: 'Detached. Run {run} stays where it is.', hint: 'Go on with: reeve resume {run}' },
  internal: {
    status: 500,
    exit: 3,
    message: 'Something went wrong inside reeve: {problem}',
    hint: 'Please report it with the output of: reeve doctor',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS
export type ErrorDetails = Readonly<Record<string, string | number>>

function fill(template: string, details: ErrorDetails): string {
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => (name in details ? String(details[name]) : whole))
}

/** The one error for callers. Inside a run failures are values; this is for whoever asked. */
export class ReeveError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails
  readonly hint: string | undefined
  readonly exit: number
  readonly status: number

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    const entry: ErrorEntry = ERRORS[code]
    super(fill(entry.message, details), options)
    this.name = 'ReeveError'
    this.code = code
    this.details = details
    this.hint = entry.hint === undefined ? undefined : fill(entry.hint, details)
    this.exit = entry.exit
    this.status = entry.status
  }
}

/** The text of anything that was thrown, on one line. */
export function problemOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replaceAll(/\s+/g, ' ').trim()
}

/** The known word nearest to a mistyped one, or undefined when none is near. For "did you mean". */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const scored = known
    .map((it) => ({ it, distance: editDistance(word.toLowerCase(), it.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
  const [best] = scored
  return best && best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.it : undefined
}

/** Changes between two words; two neighbours swapped count as one, as the most usual slip. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const best = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1))
      next[j] = swapped ? Math.min(best, (before[j - 2] ?? 0) + 1) : best
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
