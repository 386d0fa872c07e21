import { doesNothing, weakerCommand } from './command-line.ts'
import { type Compared, compareValues } from './values.ts'

type Manifest = Record<string, unknown>

// Scripts that gates start, by the names people use, and what those scripts start.
const GATE_SCRIPT =
  /^(?:(?:pre|post)?(?:test|tests|lint|types?|typecheck|type-check|check|checks|build|compile|coverage|cover|ci|verify|validate|tsc|unit|spec|format:check|posttest|pretest)(?:[:._-].*)?)$/
const TOOL_SECTIONS = [
  'jest',
  'vitest',
  'mocha',
  'ava',
  'nyc',
  'c8',
  'tap',
  'eslintConfig',
  'eslintIgnore',
  'prettier',
  'tsd',
  'xo',
  'wireit',
]

/** package.json by the keys that gates read: a new dependency, version or script of another purpose says nothing about them. */
export function comparePackageJson(before: unknown, after: unknown, hides: (item: string) => boolean): Compared {
  const old = asManifest(before)
  const now = asManifest(after)
  const [oldScripts, nowScripts] = [scriptsOf(old), scriptsOf(now)]
  const weaker: string[] = []
  let differs = false

  for (const name of gateScripts(oldScripts)) {
    const [a = '', b] = [oldScripts[name], nowScripts[name]]
    if (a === b) continue
    differs = true
    if (b === undefined) weaker.push(`the script "${name}" was removed`)
    else {
      const why = weakerCommand(a, b)
      if (why !== null) weaker.push(`the script "${name}" ${why}`)
    }
  }
  for (const name of gateScripts(nowScripts)) {
    if (oldScripts[name] !== undefined) continue
    differs = true
    if (doesNothing(nowScripts[name] ?? '')) weaker.push(`the new script "${name}" does nothing ("${nowScripts[name]}")`)
  }
  for (const section of TOOL_SECTIONS) {
    const compared = compareValues({ [section]: old[section] }, { [section]: now[section] }, hides)
    differs ||= compared.differs
    weaker.push(...compared.weaker)
  }
  return { weaker, differs }
}

/** The command lines of the scripts that gates start. */
export function gateLines(manifest: unknown): string[] {
  const scripts = scriptsOf(asManifest(manifest))
  return gateScripts(scripts).map((it) => scripts[it] ?? '')
}

/** Names of the scripts that gates start, directly or by `npm run`. */
function gateScripts(scripts: Readonly<Record<string, string>>): string[] {
  const found = Object.keys(scripts).filter((it) => GATE_SCRIPT.test(it))
  for (const name of found) {
    for (const match of (scripts[name] ?? '').matchAll(
      /(?:npm|pnpm|yarn|bun)\s+(?:run\s+|run-script\s+)?(?:--?\S+\s+)*([\w:.-]+)|(?:run-[sp]|npm-run-all2?|concurrently)\s+(.+?)(?:$|&&|\|\|)/g,
    )) {
      for (const word of `${match[1] ?? ''} ${match[2] ?? ''}`.split(/[\s"']+/)) {
        const called = word.replace(/^npm:/, '')
        if (scripts[called] !== undefined && !found.includes(called)) found.push(called)
      }
    }
  }
  return found
}

function scriptsOf(manifest: Manifest): Record<string, string> {
  const entries = Object.entries(asManifest(manifest['scripts'])).filter((it): it is [string, string] => typeof it[1] === 'string')
  return Object.fromEntries(entries)
}

function asManifest(value: unknown): Manifest {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Manifest) : {}
}
