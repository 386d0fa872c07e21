import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fixtureProject } from '../../test/support/fixture-project.ts'
import { judgeChange, type Trial } from '../../test/support/judge-repository.ts'
import { itNeeds } from '../../test/support/needs.ts'
import { makeRepository } from '../../test/support/repository.ts'
import type { Verdict } from './port.ts'

// Real programs in real workspaces: what a change to a small project is told.

interface Case extends Omit<Trial, 'root'> {
  what: string
  status: Verdict['status']
  proof?: Verdict['redProof']['status']
  /** Attribution and rule of every finding of weight. */
  found?: string[]
  summary?: RegExp
}

const read = (root: string, path: string): string => readFileSync(join(root, path), 'utf8')

function check(verdict: Verdict, { status, proof, found, summary }: Case): void {
  const findings = verdict.gates.flatMap((gate) =>
    gate.findings.filter((it) => it.severity !== 'info').map((it) => `${it.attribution} ${it.rule}`),
  )
  if (found) expect(findings).toEqual(found)
  if (proof) expect({ proof: verdict.redProof.status, reason: verdict.redProof.reason }).toMatchObject({ proof })
  if (summary) expect(verdict.summary).toMatch(summary)
  expect({ status: verdict.status, summary: verdict.summary }).toMatchObject({ status })
}

const doubleTest = (expected: string) =>
  `import assert from 'node:assert/strict'\nimport { test } from 'node:test'\nimport * as sum from '../src/sum.js'\n\ntest('doubles', () => {\n  ${expected}\n})\n`

describe('a project with node:test', () => {
  const test = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { add } from '../src/sum.js'

test('adds', () => {
  assert.equal(add(1, 2), 3)
  assert.equal(add(0, 0), 0)
})

test('is broken already', () => {
  assert.equal(add(1, 1), 99)
})
`
  const base = {
    'package.json': '{ "name": "sums", "type": "module", "scripts": { "test": "node --test" } }\n',
    'src/sum.js': 'export const add = (a, b) => a + b\n',
    'test/sum.test.js': test,
  }
  const double = 'export const add = (a, b) => a + b\nexport const double = (a) => a * 2\n'
  const old = 'pre-existing test/sum.test.js > is broken already'

  const cases: Case[] = [
    {
      what: 'accepts a feature with a test that was red, although another test fails since long',
      change: { 'src/sum.js': double, 'test/double.test.js': doubleTest('assert.equal(sum.double(2), 4)') },
      status: 'warning',
      proof: 'proved',
      found: [old],
      summary: /1 failure was there before.*proved/,
    },
    {
      what: 'refuses wrong code',
      kind: 'chore',
      change: { 'src/sum.js': 'export const add = (a, b) => a - b\n' },
      status: 'failed',
      found: ['introduced test/sum.test.js > adds', old],
    },
    {
      what: 'refuses a test that passes on the base',
      change: { 'src/sum.js': double, 'test/double.test.js': doubleTest('assert.equal(sum.add(2, 2), 4)') },
      status: 'failed',
      proof: 'refuted',
      summary: /pass without the change too/,
    },
    {
      what: 'refuses a new test that fails',
      change: { 'src/sum.js': double, 'test/double.test.js': doubleTest('assert.equal(sum.double(2), 5)') },
      status: 'failed',
      found: ['introduced test/double.test.js > doubles', old],
    },
    {
      what: 'refuses removed assertions',
      kind: 'chore',
      change: { 'test/sum.test.js': test.replace('  assert.equal(add(0, 0), 0)\n', '') },
      status: 'failed',
      found: [old, 'tampered reeve/test-weakened'],
    },
    {
      what: 'refuses a test command that does nothing, and still runs the real one',
      kind: 'chore',
      change: {
        'package.json': base['package.json'].replace('node --test', 'exit 0'),
        'src/sum.js': 'export const add = (a, b) => a - b\n',
      },
      status: 'failed',
      found: ['introduced test/sum.test.js > adds', old, 'tampered reeve/gate-config-changed'],
    },
    {
      what: 'calls a test flaky that passes every other time',
      kind: 'chore',
      change: {
        'src/sum.js':
          "import { existsSync, writeFileSync } from 'node:fs'\nimport { tmpdir } from 'node:os'\nimport { join } from 'node:path'\nconst mark = join(tmpdir(), 'ran-once')\nconst first = !existsSync(mark)\nwriteFileSync(mark, '')\nexport const add = (a, b) => (first ? -1 : a + b)\n",
      },
      status: 'warning',
      found: ['flaky test/sum.test.js > adds', old],
    },
  ]
  it.each(cases)('$what', async (trial) => check(await judgeChange({ ...trial, root: makeRepository(base) }), trial))
})

describe('a project with pytest', () => {
  const base = {
    'pyproject.toml': '[project]\nname = "sums"\nversion = "1"\n\n[tool.pytest.ini_options]\ntestpaths = ["tests"]\npythonpath = ["."]\n',
    'sums.py': 'def add(a, b):\n    return a + b\n',
    'tests/test_sums.py':
      'from sums import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\ndef test_zero():\n    assert add(0, 0) == 0\n',
  }
  const cases: Case[] = [
    {
      what: 'accepts a bug fix whose test was red',
      kind: 'bugfix',
      change: {
        'sums.py': 'def add(a, b):\n    return (a or 0) + (b or 0)\n',
        'tests/test_sums.py': `${base['tests/test_sums.py']}\n\ndef test_none():\n    assert add(None, 1) == 1\n`,
      },
      status: 'passed',
      proof: 'proved',
    },
    {
      what: 'accepts a feature whose test cannot be imported on the base, and says so',
      change: {
        'sums.py': `${base['sums.py']}\n\ndef double(a):\n    return a * 2\n`,
        'tests/test_double.py': 'from sums import double\n\n\ndef test_double():\n    assert double(2) == 4\n',
      },
      status: 'passed',
      proof: 'proved',
      summary: /red by missing symbol/,
    },
    {
      what: 'refuses a conftest that drops tests',
      kind: 'chore',
      change: {
        'tests/conftest.py': 'def pytest_collection_modifyitems(items):\n    items[:] = [it for it in items if it.name != "test_zero"]\n',
      },
      status: 'failed',
      found: ['tampered reeve/gate-config-changed'],
    },
    {
      what: 'refuses a narrower configuration',
      kind: 'chore',
      change: { 'pyproject.toml': base['pyproject.toml'].replace('testpaths = ["tests"]', 'testpaths = ["tests"]\naddopts = "-k add"') },
      status: 'failed',
      found: ['tampered reeve/gate-config-changed'],
    },
  ]
  itNeeds(['python3', '-m', 'pytest', '--version']).each(cases)('$what', async (trial) =>
    check(await judgeChange({ ...trial, root: makeRepository(base) }), trial),
  )
})

describe('a project with vitest and the TypeScript compiler', () => {
  const triple = 'export function triple(cents: number): number {\n  return cents * 3\n}\n'
  const tripleTest =
    "import { expect, it } from 'vitest'\nimport { triple } from '../src/triple.ts'\n\nit('triples', () => {\n  expect(triple(2)).toBe(6)\n})\n"
  const cases: Case[] = [
    {
      what: 'accepts a feature, with the coverage of its lines',
      change: { 'src/triple.ts': triple, 'test/triple.test.ts': tripleTest },
      status: 'passed',
      proof: 'proved',
    },
    {
      what: 'refuses a type error',
      change: { 'src/triple.ts': triple.replace('cents * 3', "'3'"), 'test/triple.test.ts': tripleTest },
      status: 'failed',
      found: ['introduced TS2322', 'introduced test/triple.test.ts > triples'],
    },
    {
      what: 'refuses lines that no test reaches, where that is configured',
      change: {
        'src/triple.ts': `${triple}export function never(a: number): number {\n  const b = a + 1\n  const c = b + 1\n  return c\n}\n`,
        'test/triple.test.ts': tripleTest,
      },
      settings: { gates: { coverage: { below: 'failure' } } },
      status: 'failed',
      proof: 'proved',
      found: ['introduced reeve/coverage-below'],
      summary: /changed lines/,
    },
    {
      what: 'refuses a configuration that leaves a test out, and runs it all the same',
      kind: 'chore',
      change: {
        'vitest.config.ts':
          "import { defineConfig } from 'vitest/config'\n\nexport default defineConfig({ test: { exclude: ['test/cents.test.ts'] } })\n",
      },
      status: 'failed',
      found: ['tampered reeve/gate-config-changed'],
    },
  ]
  it.each(cases)('$what', async (trial) => {
    const verdict = await judgeChange({ ...trial, root: fixtureProject('typescript-vitest') })
    check(verdict, trial)
    expect(verdict.gates.find((it) => it.name === 'tests')?.tests?.total).toBeGreaterThan(0)
  })
})

describe('a project with CMake and googletest', () => {
  itNeeds('cmake')('proves a feature whose test does not compile on the base', async () => {
    const root = fixtureProject('cpp-cmake')
    const verdict = await judgeChange({
      root,
      kind: 'feature',
      depth: 'full',
      settings: { gates: { coverage: { enabled: false } } },
      change: {
        'include/roman/roman.h': read(root, 'include/roman/roman.h').replace(
          '}  // namespace',
          'bool is_roman(std::string_view numeral);\n\n}  // namespace',
        ),
        'src/roman.cpp': `${read(root, 'src/roman.cpp')}\nbool roman::is_roman(std::string_view numeral) { return from_roman(numeral).has_value(); }\n`,
        'tests/roman_test.cpp': `${read(root, 'tests/roman_test.cpp')}\nTEST(IsRoman, KnowsNumerals) {\n  EXPECT_TRUE(roman::is_roman("IV"));\n  EXPECT_FALSE(roman::is_roman("IIII"));\n}\n`,
      },
    })
    expect(verdict.redProof).toMatchObject({ status: 'proved' })
    expect(verdict.redProof.reason).toContain('red by missing symbol')
    expect(verdict.summary).toMatch(/^\d gates passed/)
  })
})

const wordTests = (root: string): string => read(root, 'tests/test_words.c')

describe('a plain Makefile', () => {
  itNeeds('make', 'cc')('proves by the exit code', async () => {
    const root = fixtureProject('make-plain')
    const change = {
      'include/words.h': read(root, 'include/words.h').replace('#endif', 'int words_empty(const char *text);\n#endif'),
      'src/words.c': `${read(root, 'src/words.c')}\nint words_empty(const char *text) { return words_count(text) == 0; }\n`,
      'tests/test_words.c': wordTests(root)
        .replace('static void trims', 'static void knows_empty(void) {\n  CHECK(words_empty(" "));\n}\n\nstatic void trims')
        .replace('  counts_words();\n', '  counts_words();\n  knows_empty();\n'),
    }
    const verdict = await judgeChange({ root, change })
    expect(verdict.redProof).toMatchObject({ status: 'proved', files: ['tests/test_words.c'] })
    expect(verdict.redProof.reason).toContain('the exit code counts')
  })

  itNeeds('make', 'cc')('refuses removed checks and a recipe that does nothing', async () => {
    const root = fixtureProject('make-plain')
    const change = {
      'tests/test_words.c': wordTests(root).replace('  CHECK(words_count("") == 0);\n', ''),
      Makefile: read(root, 'Makefile').replace('\t$(BUILD)/test_words\n', '\ttrue\n'),
    }
    const verdict = await judgeChange({ root, change, kind: 'chore', depth: 'quick' })
    check(verdict, { what: '', change, status: 'failed', found: ['tampered reeve/test-weakened', 'tampered reeve/gate-config-changed'] })
  })
})
