import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** What tests start in a container, besides what reeve itself shows there. */
const PROGRAMS = [
  'sh',
  'cat',
  'chmod',
  'dd',
  'env',
  'head',
  'id',
  'ln',
  'ls',
  'mkdir',
  'rm',
  'setsid',
  'sleep',
  'touch',
  'printf',
  'unshare',
]

/**
 * A podman image made of this machine's own programs, without a network: a shell, a few tools and the libraries that Node needs. The same name
 * for all tests; made when it is not there. Returns the name.
 */
export function testImage(): string {
  const name = 'localhost/reeve-test:4'
  if (succeeds('podman', ['image', 'inspect', name])) return name
  const programs = PROGRAMS.map((it) => [`/bin/${it}`, `/usr/bin/${it}`].find((path) => existsSync(path))).filter((it) => it !== undefined)
  const libraries = new Set([...programs, process.execPath].flatMap(librariesOf))
  const tar = execFileSync('tar', ['-c', '-h', '-C', '/', '--', ...[...programs, ...libraries].map((it) => it.slice(1))], {
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  execFileSync('podman', ['import', '-', name], { input: tar, stdio: ['pipe', 'ignore', 'ignore'] })
  return name
}

function librariesOf(program: string): string[] {
  const said = execFileSync('ldd', [program], { encoding: 'utf8' })
  return [...said.matchAll(/(?:=> |^\s+)(\/\S+)/gm)].map((it) => it[1] ?? '')
}

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
