import { describe, expect, it } from 'vitest'
import { compareBuildFile, compareCmake, compareMakefile } from './build-files.ts'
import { compareCode } from './code.ts'
import { doesNothing, weakerCommand } from './command-line.ts'
import { configFileOf } from './files.ts'
import { comparePackageJson } from './package-json.ts'
import { parseIni, parseLooseJson, parseLooseToml } from './parse.ts'
import { compareValues } from './values.ts'

const never = (): boolean => false

describe('command lines', () => {
  it.each(['exit 0', 'true', ':', '', 'echo ok', 'node -e "process.exit(0)"', '@true', '-exit 0'])('knows that %j does nothing', (line) =>
    expect(doesNothing(line)).toBe(true),
  )
  it.each(['vitest run', 'echo start && vitest', 'node --test', 'exit 1'])('knows that %j does something', (line) =>
    expect(doesNothing(line)).toBe(false),
  )

  it.each([
    ['vitest run', 'exit 0', 'does nothing now ("exit 0")'],
    ['vitest run', 'vitest run || true', 'ignores its own failure ("vitest run || true")'],
    ['vitest run', 'vitest run; exit 0', 'ignores its own failure ("vitest run; exit 0")'],
    ['vitest run', 'vitest run | tee log', 'hides its exit code behind a pipe'],
    ['jest', 'jest --passWithNoTests', 'accepts that there are no tests ("--passWithNoTests")'],
    ['jest', 'jest -t fast', 'selects tests ("-t")'],
    ['pytest', 'pytest -k "not slow"', 'selects tests ("-k")'],
    ['pytest', 'pytest --deselect tests/a.py', 'leaves files or tests out ("--deselect")'],
    ['vitest run', 'vitest run --exclude a', 'leaves files or tests out ("--exclude")'],
    ['mvn test', 'mvn test -DskipTests', 'skips tests ("-DskipTests")'],
    ['eslint . --max-warnings 0', 'eslint . --max-warnings 10', 'more warnings are accepted'],
    ['eslint . --max-warnings 0', 'eslint .', 'more warnings are accepted'],
    ['pytest --cov-fail-under=90', 'pytest --cov-fail-under=50', 'the coverage asked for was lowered'],
    ['tsc && eslint . && vitest run', 'vitest run', 'no longer runs tsc, eslint'],
  ])('%s -> %s', (before, after, why) => expect(weakerCommand(before, after)).toBe(why))

  it.each([
    ['vitest run', 'vitest run --reporter=dot'],
    ['mocha', 'vitest run'],
    ['node --test', 'node --test --experimental-strip-types'],
    ['pytest --cov-fail-under=50', 'pytest --cov-fail-under=90'],
    ['python -m pytest', 'python3 -m pytest -q'],
    ['vitest run', 'tsc && vitest run'],
  ])('%s -> %s is not weaker', (before, after) => expect(weakerCommand(before, after)).toBeNull())
})

const weakerValues = (before: unknown, after: unknown) => compareValues(before, after, never).weaker

describe('values', () => {
  it.each([
    [
      'strict off',
      { compilerOptions: { strict: true } },
      { compilerOptions: { strict: false } },
      ['"compilerOptions.strict" was switched off'],
    ],
    ['strict removed', { compilerOptions: { strict: true } }, { compilerOptions: {} }, ['"compilerOptions.strict" was switched off']],
    [
      'skipLibCheck on',
      { compilerOptions: {} },
      { compilerOptions: { skipLibCheck: true } },
      ['"compilerOptions.skipLibCheck" was switched on'],
    ],
    ['include narrowed', { include: ['src', 'test'] }, { include: ['src'] }, ['"include" no longer has test']],
    ['a filter of names', null, { grep: 'easy' }, ['"grep" selects tests by name']],
    ['exclude widened', { exclude: ['dist'] }, { exclude: ['dist', 'src/old'] }, ['"exclude" now leaves out src/old']],
    ['rule off', { rules: { 'no-x': 'error' } }, { rules: { 'no-x': 'off' } }, ['the rule "no-x" was turned down']],
    [
      'rule with options to a warning',
      { rules: { 'no-x': ['error', { a: 1 }] } },
      { rules: { 'no-x': ['warn', { a: 1 }] } },
      ['the rule "no-x" was turned down'],
    ],
    ['rule removed', { rules: { 'no-x': 2 } }, { rules: {} }, ['the rule "no-x" was removed']],
    [
      'linter off',
      { linter: { rules: { enabled: true } } },
      { linter: { rules: { enabled: false } } },
      ['"linter.rules.enabled" was switched off'],
    ],
    [
      'threshold lowered',
      { test: { coverage: { thresholds: { lines: 90 } } } },
      { test: { coverage: { thresholds: { lines: 10 } } } },
      ['the threshold "test.coverage.thresholds.lines" was lowered from 90 to 10'],
    ],
    [
      'threshold removed',
      { coverageThreshold: { global: { branches: 80 } } },
      { coverageThreshold: { global: {} } },
      ['the threshold "coverageThreshold.global.branches" was removed'],
    ],
    [
      'addopts',
      { tool: { pytest: { addopts: '-q' } } },
      { tool: { pytest: { addopts: '-q -k fast' } } },
      ['"tool.pytest.addopts" selects tests ("-k")'],
    ],
    [
      'testpaths',
      { tool: { pytest: { testpaths: ['tests', 'more'] } } },
      { tool: { pytest: { testpaths: ['tests'] } } },
      ['"tool.pytest.testpaths" no longer has more'],
    ],
    [
      'mypy',
      { tool: { mypy: { disallow_untyped_defs: true } } },
      { tool: { mypy: { ignore_errors: true } } },
      ['"tool.mypy.disallow_untyped_defs" was switched off', '"tool.mypy.ignore_errors" was switched on'],
    ],
    [
      'ruff',
      { tool: { ruff: { select: ['E', 'F'] } } },
      { tool: { ruff: { select: ['E'], ignore: ['E501'] } } },
      ['"tool.ruff.select" no longer has F', '"tool.ruff.ignore" now leaves out E501'],
    ],
  ])('%s', (_what, before, after, found) => expect(weakerValues(before, after)).toEqual(found))

  it.each([
    ['stricter', { compilerOptions: { strict: false } }, { compilerOptions: { strict: true } }],
    ['a higher threshold', { thresholds: { lines: 50 } }, { thresholds: { lines: 90 } }],
    ['more included', { include: ['src'] }, { include: ['src', 'test'] }],
    ['what nobody wants judged', { exclude: [] }, { exclude: ['dist', 'node_modules', '**/coverage/**'] }],
    ['a path alias', { compilerOptions: { strict: true } }, { compilerOptions: { strict: true, paths: { '@/*': ['src/*'] } } }],
    ['a new file', null, { compilerOptions: { skipLibCheck: true }, exclude: ['old'], include: ['src'] }],
  ])('%s is not weaker', (_what, before, after) => expect(weakerValues(before, after)).toEqual([]))

  it('finds an exclusion of known tests even in a new file', () => {
    expect(compareValues(null, { exclude: ['test/a.test.ts'] }, (item) => item === 'test/a.test.ts').weaker).toEqual([
      '"exclude" now leaves out test/a.test.ts',
    ])
  })
})

const config = (inside: string) => `import { defineConfig } from 'vitest/config'\nexport default defineConfig({ test: { ${inside} } })\n`

const weaker = (before: string | null, after: string, path = 'vitest.config.ts') => compareCode(before, after, path, never).weaker

describe('configuration that is code', () => {
  it.each([
    [config(''), config("exclude: ['test/hard.test.ts']"), ['"exclude" now leaves out test/hard.test.ts']],
    [
      config("exclude: [\n  'a'\n]"),
      config("exclude: [\n  'a',\n  'test/hard.test.ts'\n]"),
      ['"exclude" now leaves out test/hard.test.ts'],
    ],
    [config("include: ['src/**', 'test/**']"), config("include: ['src/**']"), ['"include" no longer has test/**']],
    [
      config('coverage: { thresholds: { lines: 90 } }'),
      config('coverage: { thresholds: { lines: 10 } }'),
      ['the threshold "lines" was lowered from 90 to 10'],
    ],
    [config(''), config('passWithNoTests: true'), ['"passWithNoTests" was switched on', 'hides failures']],
    [config(''), `${config('')}process.exit(0)\n`, ['ends the run by itself']],
  ])('finds what is weaker, number %#', (before, after, found) => expect(weaker(before, after)).toEqual(found))

  it('finds rules of eslint', () => {
    const before = "export default [{ rules: { 'no-x': 'error', '@a/b': ['error', {}] } }]"
    expect(weaker(before, before.replace("'no-x': 'error'", "'no-x': 'off'"), 'eslint.config.js')).toEqual([
      'the rule "no-x" was turned down',
    ])
  })

  it.each([
    'def pytest_collection_modifyitems(items):\n    items.clear()\n',
    'collect_ignore = ["test_a.py"]\n',
    'def pytest_sessionfinish(session, exitstatus):\n    session.exitstatus = 0\n',
    'import os\nos._exit(0)\n',
  ])('finds hooks in a conftest, number %#', (text) => expect(weaker(null, text, 'conftest.py').length).toBeGreaterThan(0))

  it('lets fixtures and comments be', () => {
    expect(weaker(null, 'import pytest\n\n@pytest.fixture\ndef thing():\n    return 1\n', 'conftest.py')).toEqual([])
    expect(compareCode(config(''), `// a comment\n${config('')}`, 'vitest.config.ts', never)).toEqual({ weaker: [], differs: false })
    expect(weaker(config(''), config("environment: 'jsdom', setupFiles: ['./setup.ts']"))).toEqual([])
  })
})

const comparePackages = (before: object, after: object) => comparePackageJson(before, after, never)

describe('package.json', () => {
  it('follows the scripts that gates start', () => {
    const before = { scripts: { test: 'npm run unit', unit: 'vitest run' } }
    expect(comparePackages(before, { scripts: { ...before.scripts, unit: 'exit 0' } }).weaker).toEqual([
      'the script "unit" does nothing now ("exit 0")',
    ])
  })
  it('finds tool configuration inside', () => {
    expect(
      comparePackages({ jest: { coverageThreshold: { global: { lines: 90 } } } }, { jest: { coverageThreshold: { global: { lines: 1 } } } })
        .weaker,
    ).toHaveLength(1)
  })
  it('lets everything else be', () => {
    expect(
      comparePackages(
        { version: '1', scripts: { test: 'a' }, dependencies: {} },
        { version: '2', scripts: { test: 'a', start: 'b' }, dependencies: { c: '1' } },
      ),
    ).toEqual({ weaker: [], differs: false })
  })
})

describe('build files', () => {
  const make = 'all: a\n\na: a.c\n\tcc a.c\n\ntest: a\n\t./a\n\t./b\n'
  it.each([
    ['a target that does nothing', make, make.replace('\t./a\n\t./b\n', '\ttrue\n'), ['the target "test" does nothing now']],
    ['a target without a recipe', make, make.replace('\t./a\n\t./b\n', ''), ['the target "test" does nothing now']],
    ['ignored errors', make, make.replace('\t./a', '\t-./a'), ['the target "test" ignores errors']],
    ['swallowed errors', make, make.replace('\t./a\n', '\t./a || true\n'), ['the target "test" ignores its own failure ("./a || true")']],
    ['a dropped line', make, make.replace('\t./b\n', ''), ['the target "test" no longer runs "./b"']],
    ['a removed target', make, make.replace(/test:[\s\S]*/, ''), ['the target "test" was removed']],
  ])('finds in a Makefile %s', (_what, before, after, found) => expect(compareMakefile(before, after).weaker).toEqual(found))

  it('allows new targets and sources in a Makefile', () => {
    const after = `${make.replace('a.c\n\tcc a.c', 'a.c b.c\n\tcc a.c b.c')}\nclean:\n\trm a\n`
    expect(compareMakefile(make, after)).toEqual({ weaker: [], differs: true })
  })

  const cmake = 'enable_testing()\nadd_executable(t tests/a_test.cpp tests/b_test.cpp)\nadd_test(NAME t COMMAND t)\n'
  it.each([
    ['tests that are no longer registered', cmake.replace('add_test(NAME t COMMAND t)\n', ''), ['no longer registers some tests']],
    ['failures turned round', `${cmake}set_tests_properties(t PROPERTIES WILL_FAIL TRUE)\n`, ['turns failures of tests into successes']],
    ['tests that are no longer built', cmake.replace(' tests/b_test.cpp', ''), ['no longer builds tests/b_test.cpp']],
  ])('finds in CMake %s', (_what, after, found) => expect(compareCmake(cmake, after).weaker).toEqual(found))

  it('allows new sources and tests in CMake', () => {
    expect(
      compareCmake(cmake, `${cmake.replace('tests/b_test.cpp', 'tests/b_test.cpp tests/c_test.cpp')}add_library(x src/x.cpp)\n`).weaker,
    ).toEqual([])
  })

  it('looks only at what concerns tests in other build files', () => {
    expect(compareBuildFile('dependencies {\n}\n', "dependencies {\n  implementation 'a:b:1'\n}\n")).toEqual({ weaker: [], differs: false })
    expect(compareBuildFile('test {\n}\n', 'test {\n  ignoreFailures = true\n}\n').weaker).toEqual(['hides failures'])
    expect(compareBuildFile('<a/>', '<a><skipTests>true</skipTests></a>').weaker).toEqual(['skips tests'])
  })
})

describe('reading', () => {
  it('reads JSON with comments and commas', () => {
    expect(parseLooseJson('{\n // a "comment"\n "a": "http://x", /* b */ "c": [1, 2,],\n}')).toEqual({ a: 'http://x', c: [1, 2] })
    expect(parseLooseJson('{')).toBeUndefined()
    expect(parseLooseToml('= 1')).toBeUndefined()
  })
  it('reads INI with values over several lines', () => {
    expect(parseIni('[pytest]\naddopts = -q\ntestpaths =\n    a\n    b ; c\n# no\n[x]\ny: z\n')).toEqual({
      pytest: { addopts: '-q', testpaths: ['a', 'b'] },
      x: { y: 'z' },
    })
  })
  it.each([
    'package.json',
    'sub/vitest.config.ts',
    'vite.config.ts',
    'jest.config.js',
    'tests/conftest.py',
    'pytest.ini',
    'tsconfig.build.json',
    'eslint.config.mjs',
    'biome.json',
    'Makefile',
    'CMakeLists.txt',
    'cmake/x.cmake',
    'pyproject.toml',
    '.mocharc.yml',
    'build.gradle.kts',
  ])('knows that %s decides how a project is judged', (path) => expect(configFileOf(path)).toBeDefined())
  it.each(['src/package.ts', 'README.md', 'src/config.ts', 'data.json', 'test/a.test.ts'])('knows that %s does not', (path) =>
    expect(configFileOf(path)).toBeUndefined(),
  )
})
