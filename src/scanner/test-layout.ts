import { matchesGlob } from 'node:path'
import { ROOT_TEST_FOLDERS, SPEC_CODE, SPEC_FOLDERS, SPEC_PARTS, TEST_FOLDERS, TEST_NAMES } from './test-conventions.ts'

// Maven and Gradle keep the two apart by folder, so `src/main/java/LoadTest.java` is production whatever its name says.
const PRODUCTION = /(?:^|\/)src\/main\//

/**
 * Whether a file belongs to the tests: test code, its helpers, fixtures and snapshots. The one definition, for the agents' permissions,
 * the red proof and the gates. `path` is relative to the checkout, with `/`.
 *
 * `extraGlobs` are the project's own (`[tests] files`): a glob without `/` is compared with the file name, and one that begins with `!`
 * takes files out again that the usual places would count. The last glob that fits decides, before every convention.
 */
export function isTestFile(path: string, extraGlobs: readonly string[] = []): boolean {
  const own = byGlobs(path, extraGlobs)
  if (own !== undefined) return own
  const folders = path.split('/')
  const name = folders.pop() ?? ''
  if (PRODUCTION.test(path)) return false
  return TEST_NAMES.some((it) => it.name.test(name)) || inTestFolder(folders, name)
}

function byGlobs(path: string, globs: readonly string[]): boolean | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const last = globs.findLast((glob) => {
    const pattern = (glob.startsWith('!') ? glob.slice(1) : glob).replace(/^\.?\//, '').replace(/\/$/, '/**')
    return matchesGlob(pattern.includes('/') ? path : name, pattern)
  })
  return last === undefined ? undefined : !last.startsWith('!')
}

function inTestFolder(folders: readonly string[], name: string): boolean {
  const lower = folders.map((it) => it.toLowerCase())
  if (lower.some((it) => TEST_FOLDERS.has(it) || it.endsWith('.tests'))) return true
  if (ROOT_TEST_FOLDERS.has(lower[0] ?? '')) return true
  const spec = lower.findIndex((it) => SPEC_FOLDERS.has(it))
  if (spec === -1) return false
  return SPEC_CODE.test(name) || lower.slice(spec + 1).some((it) => SPEC_PARTS.has(it))
}

/**
 * One sentence for people and prompts: how many test files there are and where they lie. `testFiles` are test code, without fixtures;
 * `inSources` is the number of source files that hold their own tests (Rust).
 */
export function layoutOf(testFiles: readonly string[], inSources = 0): string {
  const within = inSources > 0 ? `; ${counted(inSources, 'source file')} with tests inside` : ''
  if (testFiles.length === 0) return inSources > 0 ? `No separate test files${within}.` : 'No test files were found.'
  const homes = Map.groupBy(testFiles, homeOf)
  const places = [...homes]
    .toSorted(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
    .map(([home, files]) => `${files.length} ${home === '' ? 'beside the code' : `in ${home}/`}${namesOf(files)}`)
  const shown = places.length > MOST_PLACES ? [...places.slice(0, MOST_PLACES), `${places.length - MOST_PLACES} more places`] : places
  return `${counted(testFiles.length, 'test file')}: ${shown.join(', ')}${within}.`
}

const MOST_PLACES = 4

/** The outermost folder that makes a file a test: `packages/a/test`; '' when only its name does. */
function homeOf(path: string): string {
  const folders = path.split('/').slice(0, -1)
  const lower = folders.map((it) => it.toLowerCase())
  const at = lower.findIndex((it, index) => TEST_FOLDERS.has(it) || SPEC_FOLDERS.has(it) || (index === 0 && ROOT_TEST_FOLDERS.has(it)))
  // `__tests__` lies beside the code by its nature: a place for each would say nothing.
  if (at === -1 || lower[at] === '__tests__') return ''
  return folders.slice(0, at + 1).join('/')
}

/** ` (*.test.ts)`: the commonest pattern of these names, when most follow it. */
function namesOf(files: readonly string[]): string {
  const patterns = Map.groupBy(files, patternOf)
  const [commonest] = [...patterns].toSorted(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
  if (!commonest || commonest[0] === '' || commonest[1].length * 2 <= files.length) return ''
  return ` (${commonest[0]})`
}

function patternOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const suffix = /[._-](?:test|tests|spec|unittest|e2e|cy)\.\w+$|(?:Tests?|IT|Spec)\.\w+$/.exec(name)
  if (suffix) return `*${suffix[0]}`
  const prefix = /^(test[-_]).*(\.\w+)$/.exec(name)
  return prefix ? `${prefix[1]}*${prefix[2]}` : ''
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
