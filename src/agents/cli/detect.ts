import type { Stats } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { visible } from '../../core/hostile-text.ts'
import type { ProgramResult, ProgramSpec } from '../../process/port.ts'
import { which } from '../../process/which.ts'
import type { CliAdapter } from './port.ts'

/** What is known of a CLI agent on this machine, without a call of a model. */
export interface Detected {
  /** As it is started; null: it is not on the search path. */
  path: string | null
  /** Where that leads to, over all links. */
  realPath: string | null
  version: string | null
  /** Its version is another one than those whose output was recorded: things may have changed. */
  outsideTested: boolean
  /** null: it has no log-in of its own, or nobody can tell. */
  loggedIn: boolean | null
  /** What is wrong with it, a sentence; '' when nothing is. */
  problem: string
}

export interface DetectorDeps {
  /** The user's own environment. */
  env: Readonly<Record<string, string | undefined>>
  /** The user's own home. */
  home: string
  run(spec: ProgramSpec): Promise<ProgramResult>
  /** Limit of each question. Default 15 s: the slowest takes 2, on a machine with nothing else to do. */
  timeoutMs?: number
}

/** Asks for one: `binary` is the setting, unset the usual name. Answers are kept for as long as the file is the same. */
export type Detector = (
  adapter: Pick<CliAdapter, 'binary' | 'tested' | 'login'> & { kind?: CliAdapter['kind'] },
  binary?: string,
) => Promise<Detected>

const TIMEOUT_MS = 15_000
/** Where programs look for what is theirs. No secrets: it is the log-in that is asked for. */
const SHOWN = ['PATH', 'LANG', 'USER', 'LOGNAME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'CODEX_HOME', 'CLAUDE_CONFIG_DIR']

interface Told {
  version: string | null
  problem: string
}

/** What a program makes of `--version` that nobody has described, nobody knows: it might begin to work. */
const UNASKED: Told = { version: null, problem: '' }

export function createDetector(deps: DetectorDeps): Detector {
  const versions = new Map<string, Promise<Told>>()

  const ask = (path: string, args: readonly string[]): Promise<ProgramResult> => {
    const shown = SHOWN.flatMap((name) => (deps.env[name] ? [[name, deps.env[name]] as const] : []))
    const env = {
      ...Object.fromEntries(shown),
      HOME: deps.home,
      TERM: 'dumb',
      NO_COLOR: '1',
      CI: '1',
      DO_NOT_TRACK: '1',
      DISABLE_AUTOUPDATER: '1',
    }
    return deps.run({ argv: [path, ...args], cwd: deps.home, env, timeoutMs: deps.timeoutMs ?? TIMEOUT_MS, keepBytes: 64 * 1024 })
  }

  const versionOf = async (path: string): Promise<Told> => {
    const result = await ask(path, ['--version'])
    // It may warn first.
    const version = (/\d+\.\d+\.\d+/.exec(result.stdout) ?? /\d+\.\d+\.\d+/.exec(result.stderr))?.[0] ?? null
    if (result.exitCode === 0 && version !== null) return { version, problem: '' }
    const words = firstLine(result.stderr) || firstLine(result.stdout)
    const said = result.ended === 'exited' && words !== '' ? `${result.problem.replace(/\.$/, '')}: ${words}` : result.problem
    return { version, problem: result.problem === '' ? 'It does not say its version.' : said }
  }

  const keptVersion = async (path: string): Promise<Told> => {
    const { size, mtimeMs } = await stat(path)
    const key = `${path} ${size} ${mtimeMs}`
    const told = versions.get(key) ?? versionOf(path)
    versions.set(key, told)
    return told
  }

  const loggedIn = async (path: string, login: CliAdapter['login']): Promise<boolean | null> => {
    if (login === null) return null
    const found = await anyThere(login.paths.map((it) => join(deps.home, it)))
    if (login.status === undefined) return login.paths.length === 0 ? null : found
    const { ended, exitCode } = await ask(path, login.status)
    return ended === 'exited' ? exitCode === 0 : found
  }

  return async (adapter, binary = adapter.binary) => {
    const found = await which(binary, deps.env['PATH'] ?? '')
    if (found === null) {
      const problem = await whyNot(binary)
      return { path: null, realPath: null, version: null, outsideTested: false, loggedIn: null, problem }
    }
    // Started by the name it was found by: some look at it.
    const told = adapter.kind === 'command' ? UNASKED : keptVersion(found)
    const [{ version, problem }, login] = await Promise.all([told, loggedIn(found, adapter.login)])
    return {
      path: found,
      realPath: await realpath(found),
      version,
      outsideTested: version !== null && !isWithin(version, adapter.tested),
      loggedIn: login,
      problem,
    }
  }
}

/** Why a program cannot be started, a sentence. */
async function whyNot(binary: string): Promise<string> {
  if (!binary.includes('/')) return `There is no program "${binary}" on the search path.`
  if (!isAbsolute(binary)) return `The path ${binary} is not absolute.`
  const found = await stat(binary).catch((error: unknown) => (error as { code?: unknown }).code)
  if (found === 'EACCES') return `The folder of ${binary} may not be looked into.`
  if (typeof found !== 'object' || found === null) return `There is no program at ${binary}.`
  return (found as Stats).isFile() ? `The file ${binary} may not be executed.` : `What is at ${binary} is a folder, no program.`
}

function firstLine(text: string): string {
  return visible(text.trim().split('\n', 1)[0] ?? '').slice(0, 200)
}

/** Is a version one of those that were tested, from the first to the last? */
export function isWithin(version: string, tested: CliAdapter['tested']): boolean {
  return tested !== null && compare(version, tested.from) >= 0 && compare(version, tested.to) <= 0
}

function compare(one: string, other: string): number {
  const [a, b] = [one, other].map((it) => it.split('.').map(Number))
  const difference = a?.map((it, index) => it - (b?.[index] ?? 0)).find((it) => it !== 0)
  return difference ?? 0
}

/** Only whether it is there: what is in it is nobody's business. */
async function anyThere(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    const there = await stat(path).then(
      (it) => it.size > 0,
      () => false,
    )
    if (there) return true
  }
  return false
}
