import { glob } from 'node:fs/promises'
import { posix } from 'node:path'
import type { DetectedCommand } from '../../scanner/port.ts'

/** A shell hands over at most some thousand names, too. */
const MOST_FILES = 5000

/** A test file as this command names it: relative to its folder. Those outside it are left out. */
function within(cwd: string, tests: readonly string[]): string[] {
  return tests.flatMap((it) => {
    const path = cwd === '.' ? it : posix.relative(cwd, it)
    return path.startsWith('../') || path.startsWith('/') || path.startsWith('-') ? [] : [path]
  })
}

/** How a tool is told which test files to run; the default is to name the files. An empty list: it cannot select, so all are run. */
const SELECTORS: Readonly<Record<string, (paths: readonly string[]) => string[]>> = {
  // Otherwise jest takes a path for a pattern, and `[id].test.js` for a class of letters.
  jest: (paths) => (paths.length > 0 ? ['--runTestsByPath', ...paths] : []),
  'go-test': (paths) => [...new Set(paths.map((it) => `./${posix.dirname(it)}`))],
  'cargo-test': (paths) => paths.flatMap((it) => (/^tests\/[^/]+\.rs$/.test(it) ? ['--test', posix.basename(it, '.rs')] : [])),
  maven: (paths) =>
    paths.length > 0 ? [`-Dtest=${paths.map((it) => posix.basename(it).replace(/\.\w+$/, '')).join(',')}`, '-DfailIfNoTests=false'] : [],
  gradle: (paths) => paths.flatMap((it) => ['--tests', posix.basename(it).replace(/\.\w+$/, '')]),
}

/** The files that a pattern fits, sorted. */
async function expandGlob(pattern: string, cwd: string): Promise<string[]> {
  const found: string[] = []
  for await (const path of glob(pattern, { cwd })) {
    found.push(path)
    if (found.length >= MOST_FILES) break
  }
  // As a shell does: a pattern that fits nothing stays as it is.
  return found.length > 0 ? found.toSorted() : [pattern]
}

export interface Expansion {
  folder: string
  reportFolder: string
  onlyTests: readonly string[] | undefined
}

/** The argument list with `{report}` and `{tests}` filled in and globs expanded. `folder` is the absolute folder it will run in. */
export async function expandArgv(
  command: DetectedCommand,
  argv: readonly [string, ...string[]],
  to: Expansion,
): Promise<[string, ...string[]]> {
  const paths = within(command.cwd, to.onlyTests ?? [])
  const selected = (SELECTORS[command.tool] ?? ((it) => [...it]))(paths)
  // Tools that can choose name `{tests}`; without it the whole suite runs.
  const selects = selected.length > 0 && argv.includes('{tests}')
  const [program, ...rest] = argv
  const args: string[] = []
  for (const item of rest) {
    if (item === '{tests}') args.push(...(selects ? selected : []))
    else if (selects && command.testPaths?.includes(item)) continue
    else if (command.globs?.includes(item)) args.push(...(await expandGlob(item, to.folder)))
    else args.push(item.replaceAll('{report}', to.reportFolder))
  }
  return [program.replaceAll('{report}', to.reportFolder), ...args]
}
