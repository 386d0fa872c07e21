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

/** The language whose convention makes this file name a test; undefined when only its folder does, or nothing. */
export function testConventionOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return TEST_NAMES.find((it) => it.name.test(name))?.language
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
