import { channel } from 'node:diagnostics_channel'
import { isAbsolute } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { searchPath } from '../process/env.ts'
import type { ProgramResult } from '../process/port.ts'
import { runProgram } from '../process/run-program.ts'
import type { Project } from './port.ts'

/** Which repository git works on. Always named outright: git never looks for one by itself. */
export interface GitPlace {
  gitDir: string
  /** Files it works on; without one only objects and refs are used. */
  workTree?: string
  index?: string
  /** Where new objects go, when not below `gitDir`. */
  objects?: string
  /** Run the call belongs to, for process marks. */
  run?: string
}

/** A place with files and an index of its own. */
export type TreePlace = GitPlace & { workTree: string; index: string }

export interface GitOptions {
  input?: string | Uint8Array
  author?: Person
  signal?: AbortSignal
  timeoutMs?: number
  keepBytes?: number
  /** Patterns of ignored files besides the tree's own; default none. */
  excludesFile?: string
  /** The call fetches from a folder; any other may fetch from nowhere. */
  fetches?: boolean
  /** One more setting whose key may hold any character, also "=". */
  setting?: readonly [key: string, value: string]
}

export interface Person {
  name: string
  email: string
}

export const REEVE: Person = { name: 'reeve', email: 'reeve@localhost' }

// Listings of very large repositories; a patch is capped by its caller.
const KEEP_BYTES = 256 * 1024 * 1024
const TIMEOUT_MS = 10 * 60_000
const LOCK_TRIES = 40

/**
 * On the command line these win over every configuration file, also one that a task has poisoned. Filter, diff and merge drivers have free
 * names and cannot be switched off here: calls that read file content use a private git dir, whose attributes name no driver.
 */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.untrackedCache=false',
  'core.splitIndex=false',
  'core.attributesFile=/dev/null',
  'core.alternateRefsCommand=:',
  'core.sshCommand=false',
  'core.editor=:',
  'core.pager=cat',
  'core.quotePath=false',
  'safe.bareRepository=explicit',
  'submodule.recurse=false',
  'diff.external=',
  'diff.ignoreSubmodules=all',
  'commit.gpgSign=false',
  'tag.gpgSign=false',
  'log.showSignature=false',
  'credential.helper=',
  'protocol.ext.allow=never',
  'fetch.recurseSubmodules=false',
  'fetch.fsckObjects=false',
  'fetch.writeCommitGraph=false',
  'worktree.useRelativePaths=false',
  'gc.auto=0',
  'maintenance.auto=false',
].flatMap((it) => ['-c', it])

/** Built from nothing: no variable of the user's shell reaches git. */
export function gitEnv(): Record<string, string> {
  return {
    PATH: searchPath(process.env),
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    // Older versions know no GIT_NO_LAZY_FETCH and would fetch a missing object as the repository's configuration says, program included.
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_SSH_COMMAND: 'false',
    GIT_ASKPASS: 'false',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_DEFAULT_REF_FORMAT: 'files',
    GIT_COMMITTER_NAME: REEVE.name,
    GIT_COMMITTER_EMAIL: REEVE.email,
    GIT_AUTHOR_NAME: REEVE.name,
    GIT_AUTHOR_EMAIL: REEVE.email,
  }
}

/** The one way to call git. Returns what happened; see `git` for the one that throws. */
export async function tryGit(place: GitPlace, args: readonly string[], options: GitOptions = {}): Promise<ProgramResult> {
  const env = gitEnv()
  if (place.index !== undefined) env['GIT_INDEX_FILE'] = place.index
  if (place.objects !== undefined) env['GIT_OBJECT_DIRECTORY'] = place.objects
  if (options.fetches) env['GIT_ALLOW_PROTOCOL'] = 'file'
  if (options.author) {
    env['GIT_AUTHOR_NAME'] = options.author.name
    env['GIT_AUTHOR_EMAIL'] = options.author.email
  }
  if (options.setting) {
    env['GIT_CONFIG_COUNT'] = '1'
    env['GIT_CONFIG_KEY_0'] = options.setting[0]
    env['GIT_CONFIG_VALUE_0'] = options.setting[1]
  }
  const where = [`--git-dir=${place.gitDir}`, ...(place.workTree === undefined ? [] : [`--work-tree=${place.workTree}`])]
  const excludes = ['-c', `core.excludesFile=${options.excludesFile ?? '/dev/null'}`]
  return await runGit(place.workTree ?? place.gitDir, env, [...where, ...SETTINGS, ...excludes, ...args], options, place.run)
}

/** Calls git and returns its output. Throws `git_failed` with git's own last words, or `git_missing`. */
export async function git(place: GitPlace, args: readonly string[], options: GitOptions = {}): Promise<string> {
  const result = await tryGit(place, args, options)
  return outputOf(result, args)
}

/** git on the user's repository: refs and objects only, no files. */
export function gitIn(project: Pick<Project, 'gitDir'>, args: readonly string[], options: GitOptions = {}): Promise<string> {
  return git({ gitDir: project.gitDir }, args, options)
}

/** Tree hash of a commit of the user's repository. */
export async function resolveTree(project: Pick<Project, 'gitDir'>, commit: string): Promise<string> {
  return (await gitIn(project, ['rev-parse', '--verify', '--quiet', `${commit}^{tree}`])).trim()
}

/** git that looks for a repository from a folder upwards. Only for asking where one is. */
export async function discover(folder: string, args: readonly string[], safeDirectory?: string): Promise<ProgramResult> {
  const safe = safeDirectory === undefined ? [] : ['-c', `safe.directory=${safeDirectory}`]
  return await runGit(folder, gitEnv(), [...SETTINGS, ...safe, ...args], {}, undefined)
}

/** Pairs of the user's own git configuration, a repository's included unless `gitDir` is null. Reading configuration executes nothing. */
export async function readUserConfig(gitDir: string | null, pattern: string): Promise<[key: string, value: string][]> {
  const env = gitEnv()
  for (const name of ['HOME', 'XDG_CONFIG_HOME', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_NOSYSTEM']) {
    delete env[name]
    const value = process.env[name]
    if (value) env[name] = value
  }
  const where = gitDir === null ? [] : [`--git-dir=${gitDir}`]
  const result = await runGit(gitDir ?? '/', env, [...where, 'config', '--null', '--get-regexp', pattern], {}, undefined)
  return items(result.stdout).map((it) => {
    const at = it.indexOf('\n')
    return at < 0 ? [it, ''] : [it.slice(0, at), it.slice(at + 1)]
  })
}

/** Told in the channel of this name after each call; who wants to count them listens there. */
export const GIT_CALLS = 'reeve:git'
export interface GitCall {
  command: string
  /** `no`: it has said no, which is an answer too. `ended`: it was killed, or is not there. */
  result: 'ok' | 'no' | 'ended'
  ms: number
}
const calls = channel(GIT_CALLS)

async function runGit(...call: Parameters<typeof callGit>): Promise<ProgramResult> {
  const begun = performance.now()
  const result = await callGit(...call)
  const answer = result.exitCode === 0 ? 'ok' : 'no'
  calls.publish({
    command: commandOf(call[2]),
    result: result.ended === 'exited' ? answer : 'ended',
    ms: performance.now() - begun,
  } satisfies GitCall)
  return result
}

/** The word after the options of git itself. */
function commandOf(args: readonly string[]): string {
  return args.find((it, at) => !it.startsWith('-') && args[at - 1] !== '-c') ?? ''
}

async function callGit(
  cwd: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  options: GitOptions,
  run: string | undefined,
): Promise<ProgramResult> {
  if (!isAbsolute(cwd)) throw new ReeveError('invalid_input', { problem: `git needs an absolute path, not "${cwd}".` })
  const keepBytes = options.keepBytes ?? KEEP_BYTES
  for (let tried = 1; ; tried++) {
    const result = await runProgram({
      argv: ['git', ...args],
      cwd,
      env,
      keepBytes,
      floodBytes: Math.max(keepBytes, KEEP_BYTES) * 2,
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      trusted: true,
      ...(options.input === undefined ? {} : { input: options.input }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(run === undefined ? {} : { run }),
    })
    if (!isLocked(result) || tried >= LOCK_TRIES) return result
    // Another git holds a lock for a moment. Random, so that twenty that met do not meet again.
    await new Promise((resolve) => {
      setTimeout(resolve, 10 + Math.random() * 25 * Math.min(tried, 10))
    })
  }
}

/** A lock, or a worktree that another git is just adding or removing: both are over in a moment. */
function isLocked(result: ProgramResult): boolean {
  if (result.ended !== 'exited' || result.exitCode === 0) return false
  return /\.lock': File exists|unable to lock|could not lock|(?:bad object|failed to read|unable to read) \S*worktrees\//i.test(
    result.stderr,
  )
}

/** Output of a call that must have gone well. */
export function outputOf(result: ProgramResult, args: readonly string[]): string {
  if (result.ended === 'not_found') throw new ReeveError('git_missing')
  if (result.exitCode === 0 && result.dropped === 0) return result.stdout
  const words = result.stderr.trim().split('\n').filter(Boolean)
  const said = words.findLast((it) => it.startsWith('fatal:')) ?? words.at(-1) ?? result.problem
  const problem = result.dropped > 0 && result.exitCode === 0 ? 'its output is too long' : said.replace(/^(?:fatal|error): /, '')
  throw new ReeveError('git_failed', { command: args.find((it) => !it.startsWith('-')) ?? '', problem })
}

/** Non-empty items of a NUL-separated listing. */
export function items(listing: string): string[] {
  return listing.split('\0').filter((it) => it !== '')
}
