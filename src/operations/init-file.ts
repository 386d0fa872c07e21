import type { RepoScan } from '../scanner/port.ts'

/** Install commands that leave the lockfile as it is, by package manager. */
const SETUP: Record<string, string> = {
  npm: 'npm ci',
  pnpm: 'pnpm install --frozen-lockfile',
  yarn: 'yarn install --frozen-lockfile',
  bun: 'bun install --frozen-lockfile',
  poetry: 'poetry install --no-interaction',
  uv: 'uv sync --frozen',
  pdm: 'pdm sync',
  pipenv: 'pipenv sync --dev',
  mix: 'mix deps.get',
  bundler: 'bundle install',
  composer: 'composer install --no-interaction',
}

/**
 * A `reeve.toml` with what was found in the repository. What is detected again by itself is written as a comment, to be changed where it is
 * wrong; only `setup` is in force, since it cannot be guessed at every run.
 */
export function initFile(scan: RepoScan, base: string | null, agents: readonly FoundAgent[] = []): string {
  return [
    '# Settings of reeve for this repository. Every key has a default; `reeve config show` prints those in force.',
    '# All keys: docs/reference/configuration.md of reeve.',
    '',
    '[project]',
    '# Branch or commit that runs begin from; what you have checked out when absent.',
    `# base = ${quoted(base ?? 'main')}`,
    ...setupLines(scan),
    "# Paths that no agent may change, besides reeve's own list.",
    '# protected = ["migrations/**"]',
    '',
    ...providerLines(agents),
    '',
    '[runs]',
    '# workflow = "build"          # or "direct": one agent, the same proof at the end',
    '# max_attempts = 3',
    '# autonomy = "supervised"     # manual, supervised, autonomous',
    '# timeout_minutes = 30',
    '# max_concurrent = 3',
    '# land = "none"               # none, branch, merge, squash',
    '',
    '# How programs of runs are held. A project may raise the level, never lower it; `reeve doctor` says what this machine holds.',
    '# [sandbox]',
    '# minimum = "os-sandbox"      # or "container"; below it a run does not start',
    '# hosts = ["npm.example.com"] # setup reaches these besides the registries of the lockfiles; nothing else has a network',
    '# install_scripts = false     # may packages run scripts of their own while they are installed?',
    '# limits.memory_mb = 4096     # for all programs of a run together',
    '# limits.disk_mb = 8192',
    '',
    '# Gates: what was found, and why. Take the "#" away to change a command.',
    ...gateLines(scan),
    '',
  ].join('\n')
}

/** A CLI agent of this machine that could work at once. */
export interface FoundAgent {
  kind: string
  version: string
  access: 'key' | 'login'
}

/** Agents that are here and let in are written as they would be used; the rest are examples. */
function providerLines(agents: readonly FoundAgent[]): string[] {
  const found = agents.flatMap(({ kind, version, access }) => [
    '',
    `[providers.${kind}]  # ${comment(version)} is here, ${access === 'login' ? 'and you are logged in' : 'and its key is in your environment'}`,
    `kind = ${quoted(kind)}`,
    ...(access === 'login' ? ['login = true'] : []),
  ])
  return [
    '# Who works. The first of the order is asked first, the next when it fails. Keys stay in the environment.',
    ...(agents.length > 0
      ? ['[providers]', `order = [${agents.map((it) => quoted(it.kind)).join(', ')}]`, ...found, '', '# Others, for example:']
      : ['# [providers]', '# order = ["local"]']),
    '#',
    '# [providers.local]',
    '# kind = "ollama"             # or "openai-compatible" with a base_url: LM Studio, llama-server, vLLM, a gateway',
    '# model = "qwen3-coder:30b"',
    '#',
    '# [providers.api]',
    '# kind = "anthropic"          # openai, google',
    '# model = "claude-sonnet-4-5"',
    '# api_key_env = "ANTHROPIC_API_KEY"',
  ]
}

/** What installs the project's packages, and the lockfile that tells. */
export function setupCommands(scan: Pick<RepoScan, 'packageManagers'>): { command: string; because: string | null }[] {
  return scan.packageManagers.flatMap((it) => {
    const command = it.lockfile === null || it.manifest.includes('/') ? undefined : SETUP[it.name]
    return command === undefined ? [] : [{ command, because: it.lockfile }]
  })
}

function setupLines(scan: RepoScan): string[] {
  const commands = setupCommands(scan)
  const [first] = commands
  if (!first) return ['# Commands that install what the project needs, in a fresh copy of it.', '# setup = ["npm ci"]']
  return [
    `# Commands that install what the project needs, in a fresh copy of it (found: ${commands.map((it) => it.because).join(', ')}).`,
    `setup = [${commands.map((it) => quoted(it.command)).join(', ')}]`,
  ]
}

function gateLines(scan: RepoScan): string[] {
  const seen = new Set<string>()
  const lines = scan.commands.flatMap((it) => {
    const again = seen.has(it.gate)
    seen.add(it.gate)
    const place = it.cwd === '.' ? [] : [`# cwd = ${quoted(it.cwd)}`]
    const body = [`# ${comment(it.reason)}`, `# [gates.${it.gate}]`, `# command = ${quoted(it.command)}`, ...place]
    return again ? [`#   also: ${comment(it.command)} in ${comment(it.cwd)} (${comment(it.reason)})`] : ['#', ...body]
  })
  return lines.length > 0
    ? lines
    : ['# Nothing here says how the project is built or tested:', '# [gates.tests]', '# command = "make test"']
}

/** Text of the repository inside a comment must stay on its line. */
function comment(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001F\u007F\s]+/g, ' ').trim()
}

/** A TOML basic string; JSON's escapes are a part of TOML's. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('\u007F', '\\u007f')
}
