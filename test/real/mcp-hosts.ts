import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { writeFiles } from '../support/folder.ts'
import { toolFolder } from '../support/tools.ts'
import { searchPath } from './search-path.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
// Some hosts take ten seconds for a list on a busy machine.
const LIMIT_MS = 120_000

/** How a host starts our server. */
export const SERVER = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN, 'mcp'] as const

export interface Said {
  exitCode: number | null
  stdout: string
  /** Everything it said. */
  text: string
}

interface Wish {
  /** Home of the host and of our data. */
  home: string
  cwd: string
  env?: Readonly<Record<string, string>>
  /** Lines for its standard input, which stays open until `until` is said. */
  input?: readonly string[]
  until?: RegExp
}

/** Runs a host to its end. */
export async function runHost([program, ...args]: readonly [string, ...string[]], wish: Wish): Promise<Said> {
  const child = spawn(program, args, {
    cwd: wish.cwd,
    env: hostEnv(wish.home, wish.env),
    stdio: [wish.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
  const out = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      out[name] += text
      if (wish.until?.test(out.stdout)) child.stdin?.end()
    })
  }
  if (wish.input !== undefined) child.stdin?.write(wish.input.map((it) => `${it}\n`).join(''))
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  clearTimeout(timer)
  return { exitCode, stdout: out.stdout, text: `${out.stdout}\n${out.stderr}` }
}

/** What a host is given, and our server by it. No key, and nothing of the user's. */
function hostEnv(home: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const user = join(home, 'user')
  mkdirSync(user, { recursive: true })
  return {
    PATH: [join(toolFolder('mcp'), 'bin'), searchPath(), dirname(process.execPath)].join(delimiter),
    HOME: user,
    REEVE_HOME: join(home, 'reeve'),
    REEVE_DAEMON__PORT: '0',
    LANG: 'C.UTF-8',
    CI: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_TELEMETRY: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    ...more,
  }
}

/** Tells each host of our server, in the files that it reads. */
export function configureHosts(home: string, project: string): void {
  const [command, ...args] = SERVER
  writeFiles(project, {
    'opencode.json': JSON.stringify({ mcp: { reeve: { type: 'local', command: SERVER, enabled: true } } }),
    '.gemini/settings.json': JSON.stringify({ mcpServers: { reeve: { command, args } } }),
  })
  const user = join(home, 'user')
  mkdirSync(join(user, '.codex'), { recursive: true })
  mkdirSync(join(user, '.gemini'), { recursive: true })
  writeFileSync(
    join(user, '.codex/config.toml'),
    `[mcp_servers.reeve]\ncommand = ${JSON.stringify(command)}\nargs = ${JSON.stringify(args)}\n`,
  )
  writeFileSync(join(user, '.gemini/trustedFolders.json'), JSON.stringify({ [project]: 'TRUST_FOLDER' }))
}
