import { UNFINISHED } from './paths.ts'

/**
 * What tools leave behind and no project keeps in git. Many small projects have no `.gitignore`; without this a run of the tests would
 * change the tree that the tests judge, and an install would be committed.
 */
const GENERATED = [
  'node_modules/',
  '__pycache__/',
  '*.pyc',
  '.pytest_cache/',
  '.mypy_cache/',
  '.ruff_cache/',
  '.coverage',
  '.venv/',
  '.tox/',
  '.nyc_output/',
  '.DS_Store',
]

/** Lines for `info/exclude` besides the user's own. A pattern that fits a file of the base is left out: this project keeps such files. */
export function generatedExcludes(trackedPaths: readonly string[]): string[] {
  const names = new Set(trackedPaths.flatMap((it) => it.split('/')))
  const endings = new Set(trackedPaths.map((it) => it.slice(it.lastIndexOf('.'))))
  const used = (pattern: string) => (pattern.startsWith('*') ? endings.has(pattern.slice(1)) : names.has(pattern.replace('/', '')))
  return [`${UNFINISHED}*`, ...GENERATED.filter((it) => !used(it))]
}

/** What is not even kept in attempts: what an install brings back by itself, and files that were not written to their end. */
export const NEVER_KEPT = [`${UNFINISHED}*`]
