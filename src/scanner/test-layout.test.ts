import { describe, expect, it } from 'vitest'
import { isTestFile, layoutOf } from './test-layout.ts'

const TESTS: Record<string, string[]> = {
  'JavaScript and TypeScript': [
    'src/a.test.ts',
    'src/a.spec.tsx',
    'a.test.mjs',
    'src/__tests__/helper.js',
    'test/anything.json',
    'tests/setup.ts',
    'test.js',
    'src/test-parse.js',
    'src/parse-test.cjs',
    'src/__snapshots__/a.test.ts.snap',
    'src/__mocks__/fs.js',
    'cypress/e2e/login.cy.ts',
    'e2e/login.ts',
  ],
  Python: ['test_a.py', 'pkg/a_test.py', 'tests/__init__.py', 'conftest.py', 'pkg/conftest.py', 'shop/tests.py'],
  'C and C++': [
    'src/stack_test.cc',
    'src/test_stack.c',
    'tests/CMakeLists.txt',
    'src/stack_unittest.cpp',
    'src/StackTest.cpp',
    'test/main.c',
  ],
  Go: ['pkg/a_test.go', 'pkg/testdata/in.txt'],
  Rust: ['tests/api.rs', 'src/parser/tests.rs', 'crates/x/tests/common/mod.rs'],
  Java: ['src/test/java/a/Helper.java', 'app/src/test/resources/x.xml', 'x/StackTest.java', 'x/TestStack.java', 'x/StackIT.java'],
  Ruby: ['spec/models/user_spec.rb', 'spec/spec_helper.rb', 'spec/fixtures/a.yml', 'test/user_test.rb', 'test/fixtures/users.yml'],
  Elixir: ['test/app_test.exs', 'test/test_helper.exs', 'apps/web/test/support/conn_case.ex'],
  others: ['Shop.Tests/CartTests.cs', 'Tests/ShopTests/CartTests.swift', 'tests/CartTest.php', 't/basic.t', 'fixtures/a.json', 'run.bats'],
}

const PRODUCTION = [
  'src/a.ts',
  'src/testing/harness.ts',
  'src/contest.ts',
  'src/latest.py',
  'src/attestation/test.py',
  'shop/fixtures/initial.json',
  'spec/openapi.yaml',
  'src/specification.md',
  'src/main/java/LoadTest.java',
  'lib/protest.rb',
  'Contest.java',
  'TestimonialPage.tsx',
  'src/greatest.c',
  'package.json',
  'README.md',
]

describe('isTestFile', () => {
  for (const [language, paths] of Object.entries(TESTS))
    it(`knows the places and names of tests in ${language}`, () => {
      expect(paths.filter((it) => !isTestFile(it))).toEqual([])
    })

  it('leaves production files alone that only sound like tests', () => {
    expect(PRODUCTION.filter((it) => isTestFile(it))).toEqual([])
  })

  it("takes the project's own globs, by path or by file name", () => {
    expect(isTestFile('checks/a.ts', ['checks/**'])).toBe(true)
    expect(isTestFile('checks/deep/a.ts', ['checks/'])).toBe(true)
    expect(isTestFile('src/a.check.ts', ['*.check.ts'])).toBe(true)
    expect(isTestFile('src/a.ts', ['checks/**', '*.check.ts'])).toBe(false)
  })

  it('lets a glob with ! take files out of the usual places, the last one that fits deciding', () => {
    expect(isTestFile('src/test/runner.ts', ['!src/test/**'])).toBe(false)
    expect(isTestFile('src/test/runner.test.ts', ['!src/test/**', '*.test.ts'])).toBe(true)
  })

  it('reads non-ASCII names and spaces', () => {
    expect(isTestFile('src/größe rechner.test.ts')).toBe(true)
    expect(isTestFile('テスト/計算.ts', ['テスト/**'])).toBe(true)
  })
})

describe('layoutOf', () => {
  it('says how many tests there are, where, and how they are called', () => {
    expect(layoutOf(['src/a.test.ts', 'src/b.test.ts', 'src/__tests__/c.test.ts', 'tests/d.test.ts', 'tests/e.test.ts'])).toBe(
      '5 test files: 3 beside the code (*.test.ts), 2 in tests/ (*.test.ts).',
    )
    expect(layoutOf(['packages/a/test/test_x.py', 'packages/a/test/test_y.py'])).toBe('2 test files: 2 in packages/a/test/ (test_*.py).')
  })

  it('names no pattern where there is none', () => {
    expect(layoutOf(['test/a.rb', 'test/b_test.rb'])).toBe('2 test files: 2 in test/.')
  })

  it('sums up many places', () => {
    expect(layoutOf(['a/test/x', 'b/test/x', 'c/test/x', 'd/test/x', 'e/test/x', 'f/test/x'])).toMatch(/ in d\/test\/, 2 more places\.$/)
  })

  it('counts sources that hold their own tests, and says when there are none', () => {
    expect(layoutOf(['tests/api.rs'], 2)).toBe('1 test file: 1 in tests/; 2 source files with tests inside.')
    expect(layoutOf([], 1)).toBe('No separate test files; 1 source file with tests inside.')
    expect(layoutOf([])).toBe('No test files were found.')
  })
})
