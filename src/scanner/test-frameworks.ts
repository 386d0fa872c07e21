import { TEST_FRAMEWORKS } from './framework-table.ts'
import { type Named, namedBy } from './frameworks.ts'
import type { Manifest } from './manifests/read.ts'

/** Test frameworks that come with a language or are known by what a file includes: no manifest names them. */
const BY_TEXT: readonly { name: string; path: RegExp; text: RegExp | null; words: string }[] = [
  { name: 'node:test', path: /\.[cm]?[jt]sx?$/, text: /(?:from|require\()\s*['"]node:test['"]/, words: 'imports node:test' },
  { name: 'node:test', path: /(?:^|\/)package\.json$/, text: /"[^"]*\bnode\b[^"]*\s--test\b/, words: 'runs node --test' },
  { name: 'vitest', path: /\.[cm]?[jt]sx?$/, text: /from\s+['"]vitest['"]/, words: 'imports vitest' },
  { name: 'unittest', path: /\.py$/, text: /\bunittest\.(?:TestCase|IsolatedAsyncioTestCase)\b/, words: 'uses unittest.TestCase' },
  { name: 'pytest', path: /\.py$/, text: /^[ \t]*(?:import|from) pytest\b/m, words: 'imports pytest' },
  { name: 'go test', path: /_test\.go$/, text: null, words: 'is a Go test' },
  { name: 'cargo test', path: /\.rs$/, text: /#\[(?:\w+::)*test\b|#\[cfg\(test\)\]/, words: 'has #[test]' },
  { name: 'exunit', path: /\.exs$/, text: /\buse ExUnit\.Case\b|\bExUnit\.start\b/, words: 'uses ExUnit' },
  { name: 'minitest', path: /\.rb$/, text: /\bMinitest::Test\b|require ['"]minitest/, words: 'uses Minitest' },
  { name: 'rspec', path: /_spec\.rb$/, text: /\bdescribe\b/, words: 'describes' },
  { name: 'junit', path: /\.(?:java|kt)$/, text: /^import (?:static )?org\.junit\b/m, words: 'imports org.junit' },
  { name: 'googletest', path: /\.(?:cc|cpp|cxx|hpp|h)$/, text: /#\s*include\s*[<"]g(?:test|mock)\//, words: 'includes gtest' },
  { name: 'catch2', path: /\.(?:cc|cpp|cxx|hpp|h)$/, text: /#\s*include\s*[<"]catch2\//, words: 'includes catch2' },
  { name: 'doctest', path: /\.(?:cc|cpp|cxx|hpp|h)$/, text: /#\s*include\s*[<"](?:doctest\/)?doctest\.h[>"]/, words: 'includes doctest' },
  { name: 'unity', path: /\.[ch]$/, text: /#\s*include\s*[<"]unity\.h[>"]/, words: 'includes unity.h' },
  { name: 'cmocka', path: /\.[ch]$/, text: /#\s*include\s*[<"]cmocka\.h[>"]/, words: 'includes cmocka.h' },
  { name: 'check', path: /\.[ch]$/, text: /#\s*include\s*<check\.h>/, words: 'includes check.h' },
  {
    name: 'ctest',
    path: /(?:^|\/)CMakeLists\.txt$/,
    text: /^[ \t]*(?:enable_testing|add_test|include[ \t]*\([ \t]*CTest)\b/im,
    words: 'calls enable_testing or add_test',
  },
  { name: 'bats', path: /\.bats$/, text: null, words: 'is a bats test' },
]

/** What the text of one file says about test frameworks. */
export function testFrameworksIn(path: string, text: string): Named[] {
  return BY_TEXT.filter((it) => it.path.test(path) && (it.text === null || it.text.test(text))).map((it) => ({
    name: it.name,
    reason: `${path} ${it.words}`,
  }))
}

/** The test frameworks of a project: by its manifests and files first, then by what its texts said. Each once. */
export function testFrameworksOf(manifests: readonly Manifest[], files: readonly string[], byText: readonly Named[]): Named[] {
  const all = [...namedBy(TEST_FRAMEWORKS, manifests, files), ...byText]
  return all.filter((it, at) => all.findIndex((other) => other.name === it.name) === at)
}
