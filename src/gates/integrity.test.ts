import { describe, expect, it } from 'vitest'
import { type Files, fakeCase, fakeCommand, type Judged, judgeWorld, type World } from '../../test/support/judge.ts'
import type { Measurement, TestCase } from './port.ts'

const A = 'a.test.js > adds'
const B = 'a.test.js > halves'
const tests = (...cases: TestCase[]): Partial<Measurement> => ({ cases })

function gate({ verdict }: Judged, name: string) {
  const found = verdict.gates.find((it) => it.name === name)
  if (!found) throw new Error(`no gate ${name}`)
  return found
}
const attributions = (judged: Judged, name = 'tests') => gate(judged, name).findings.map((it) => `${it.attribution} ${it.rule}`)

const manifest = (scripts: Record<string, string>, more: object = {}) => JSON.stringify({ name: 'x', scripts, ...more })

const green = () => tests(fakeCase(A), fakeCase(B))

const byManifest = (files: Record<string, string>) => {
  const { scripts } = JSON.parse(files['package.json'] ?? '{}') as { scripts: { test: string } }
  return [fakeCommand('tests', { command: scripts.test, argv: ['sh', '-c', scripts.test] })]
}

describe('what a change does to its judges', () => {
  const test =
    "import { add } from '../src/a.js'\nit('adds', () => {\n  expect(add(1, 2)).toBe(3)\n  expect(add(0, 0)).toBe(0)\n})\nit('halves', () => {\n  expect(half(4)).toBe(2)\n})\n"
  const base: Files = { 'src/a.js': 'one\n', 'a.test.js': test, 'package.json': manifest({ test: 'vitest run', lint: 'eslint .' }) }
  const from = (parts: Record<string, string | null>): Files => {
    const files: Record<string, string> = { ...base, 'src/a.js': 'two\n' }
    for (const [path, text] of Object.entries(parts)) {
      if (text === null) delete files[path]
      else files[path] = text
    }
    return files
  }
  const cases: {
    what: string
    change: Record<string, string | null>
    found: string[]
    kind?: World['kind']
    base?: Files
    measure?: World['measure']
    settings?: World['settings']
    status?: string
  }[] = [
    { what: 'says nothing of production code', change: {}, found: [] },
    { what: 'names a deleted test file', change: { 'a.test.js': null }, found: ['error reeve/test-deleted', 'error reeve/test-deleted'] },
    { what: 'names a deleted test', change: { 'a.test.js': test.replace(/it\('halves'[\s\S]*/, '') }, found: ['error reeve/test-deleted'] },
    {
      what: 'names a skipped test',
      change: { 'a.test.js': test.replace("it('halves'", "it.skip('halves'") },
      found: ['error reeve/test-skipped'],
    },
    {
      what: 'names a test that is marked to run alone',
      change: { 'a.test.js': test.replace("it('adds'", "it.only('adds'") },
      found: ['error reeve/test-skipped'],
    },
    {
      what: 'names removed assertions',
      change: { 'a.test.js': test.replace('  expect(add(0, 0)).toBe(0)\n', '') },
      found: ['error reeve/test-weakened'],
    },
    {
      what: 'names an assertion that cannot fail any more',
      change: { 'a.test.js': test.replace('expect(half(4)).toBe(2)', 'expect(true).toBe(true)') },
      found: ['error reeve/test-weakened'],
    },
    {
      what: 'names an assertion that says less',
      change: { 'a.test.js': test.replace('expect(half(4)).toBe(2)', 'expect(half(4)).toBeDefined()') },
      found: ['error reeve/test-weakened'],
    },
    {
      what: 'refuses another expectation in a refactoring',
      kind: 'refactor',
      change: { 'a.test.js': test.replace('toBe(2)', 'toBe(5)') },
      found: ['error reeve/test-weakened'],
    },
    {
      what: 'warns of another expectation in a bug fix',
      kind: 'bugfix',
      change: { 'a.test.js': test.replace('toBe(2)', 'toBe(5)') },
      found: ['warning reeve/test-weakened'],
      status: 'warning',
    },
    {
      what: 'allows a renamed function in a refactoring',
      kind: 'refactor',
      change: { 'a.test.js': test.replaceAll('half', 'halve') },
      found: [],
    },
    { what: 'allows a renamed test', change: { 'a.test.js': test.replace("it('halves'", "it('halves a number'") }, found: [] },
    {
      what: 'allows a moved test',
      change: { 'a.test.js': test.replace(/it\('halves'[\s\S]*/, ''), 'b.test.js': test.slice(test.indexOf("it('halves'")) },
      found: [],
    },
    { what: 'allows a new test', change: { 'b.test.js': "it('new', () => { expect(f()).toBe(1) })\n" }, found: [] },
    {
      what: 'warns of a new test that cannot fail',
      change: { 'b.test.js': "it('new', () => { expect(1).toBe(1) })\n" },
      found: ['warning reeve/test-vacuous'],
      status: 'warning',
    },
    {
      what: 'warns of an empty new test',
      change: { 'b.test.js': "it('new', () => {})\n" },
      found: ['warning reeve/test-vacuous'],
      status: 'warning',
    },
    {
      what: 'warns of a new test that is skipped',
      change: { 'b.test.js': "it.skip('new', () => { expect(f()).toBe(1) })\n" },
      found: ['warning reeve/test-skipped'],
      status: 'warning',
    },
    {
      what: 'refuses a rewritten snapshot in a refactoring',
      kind: 'refactor',
      base: { ...base, '__snapshots__/a.snap': 'old' },
      change: { '__snapshots__/a.snap': 'new' },
      found: ['error reeve/test-weakened'],
    },
    {
      what: 'names a test command that does nothing',
      change: { 'package.json': manifest({ test: 'exit 0', lint: 'eslint .' }) },
      found: ['error reeve/gate-config-changed'],
    },
    {
      what: 'names a test command that swallows its failure',
      change: { 'package.json': manifest({ test: 'vitest run || true', lint: 'eslint .' }) },
      found: ['error reeve/gate-config-changed'],
    },
    {
      what: 'names a removed script',
      change: { 'package.json': manifest({ test: 'vitest run' }) },
      found: ['error reeve/gate-config-changed'],
    },
    {
      what: 'allows a new dependency',
      change: { 'package.json': manifest({ test: 'vitest run', lint: 'eslint .' }, { dependencies: { zod: '4' } }) },
      found: [],
    },
    {
      what: 'allows a script of another purpose',
      change: { 'package.json': manifest({ test: 'vitest run', lint: 'eslint .', start: 'node .' }) },
      found: [],
    },
    {
      what: 'warns of a changed command that is not weaker',
      change: { 'package.json': manifest({ test: 'vitest run --reporter=dot', lint: 'eslint .' }) },
      found: ['warning reeve/gate-config-changed'],
      status: 'warning',
    },
    {
      what: 'names a runner configuration that leaves tests out',
      change: { 'vitest.config.js': "export default { test: { exclude: ['a.test.js'] } }\n" },
      found: ['error reeve/gate-config-changed'],
    },
    {
      what: 'warns of a new harmless runner configuration',
      change: { 'vitest.config.js': "export default { test: { environment: 'node', exclude: ['node_modules'] } }\n" },
      found: ['warning reeve/gate-config-changed'],
      status: 'warning',
    },
    {
      what: 'names a conftest that drops tests',
      change: { 'conftest.py': 'def pytest_collection_modifyitems(items):\n    items.clear()\n' },
      found: ['error reeve/gate-config-changed'],
    },
    {
      what: 'refuses changes to its own configuration',
      change: { 'reeve.toml': '[gates.tests]\ncommand = "true"\n' },
      found: ['error reeve/protected-file-changed'],
    },
    {
      what: 'refuses changes to what CI runs',
      kind: 'feature',
      change: { '.github/workflows/ci.yml': 'on: push\n', 'b.test.js': "it('new', () => { expect(f()).toBe(1) })\n" },
      found: ['error reeve/protected-file-changed'],
    },
    {
      what: 'warns when a chore changes what CI runs',
      change: { '.github/workflows/ci.yml': 'on: push\n' },
      found: ['warning reeve/protected-file-changed'],
      status: 'warning',
    },
    {
      what: 'names a removed assertion although others came',
      kind: 'bugfix',
      change: {
        'a.test.js': test
          .replace('  expect(add(1, 2)).toBe(3)\n', '')
          .replace('toBe(0)\n', 'toBe(0)\n  expect(add(4, 4)).toBe(8)\n  expect(add(5, 5)).toBe(10)\n'),
      },
      found: ['error reeve/test-weakened'],
    },
    {
      what: 'allows assertions in another order, and more of them',
      change: {
        'a.test.js': test.replace(
          '  expect(add(1, 2)).toBe(3)\n  expect(add(0, 0)).toBe(0)\n',
          '  expect(add(0, 0)).toBe(0)\n  expect(add(2, 2)).toBe(4)\n  expect(add(1, 2)).toBe(3)\n',
        ),
      },
      found: [],
    },
    {
      what: 'names a program of the gates that ends by itself',
      base: { ...base, 'package.json': manifest({ test: 'node scripts/check.js' }), 'scripts/check.js': 'run()\n' },
      change: { 'package.json': manifest({ test: 'node scripts/check.js' }), 'scripts/check.js': 'process.exit(0)\nrun()\n' },
      found: ['error reeve/gate-config-changed'],
    },
    {
      what: 'warns of a changed program of the gates',
      base: { ...base, 'package.json': manifest({ test: 'node scripts/check.js' }), 'scripts/check.js': 'run()\n' },
      change: { 'package.json': manifest({ test: 'node scripts/check.js' }), 'scripts/check.js': 'run(1)\n' },
      found: ['warning reeve/gate-config-changed'],
      status: 'warning',
    },
    {
      what: 'lets production code be that a build script mentions',
      base: { ...base, 'package.json': manifest({ build: 'esbuild src/main.js --bundle' }), 'src/main.js': 'run()\n' },
      change: { 'package.json': manifest({ build: 'esbuild src/main.js --bundle' }), 'src/main.js': 'process.exit(0)\nrun()\n' },
      found: [],
    },
    { what: 'allows to ignore what a build makes', change: { '.gitignore': 'dist/\n*.log\n' }, found: [] },
    {
      what: 'refuses to hide configuration from git',
      change: { '.gitignore': 'vitest.config.*\n' },
      found: ['error reeve/protected-file-changed'],
    },
    {
      what: 'refuses changes that the project forbids',
      settings: { project: { protected: ['migrations/**'] } },
      change: { 'migrations/1.sql': 'drop' },
      found: ['error reeve/protected-file-changed'],
    },
    {
      what: 'names a test that the runner no longer reports',
      change: { 'vitest.config.js': 'export default { test: { environment: process.env.X } }\n' },
      measure: ({ inWorkspace }) => tests(fakeCase(A), ...(inWorkspace ? [] : [fakeCase(B)])),
      found: ['warning reeve/gate-config-changed', 'error reeve/test-disappeared'],
    },
    {
      what: 'names a test that the runner now skips',
      change: { 'vitest.config.js': 'export default { test: { environment: process.env.X } }\n' },
      measure: ({ inWorkspace }) => tests(fakeCase(A), fakeCase(B, inWorkspace ? 'skipped' : 'passed')),
      found: ['warning reeve/gate-config-changed', 'error reeve/test-skipped'],
    },
    {
      what: 'does not miss tests twice whose deletion is known',
      change: { 'a.test.js': test.replace(/it\('halves'[\s\S]*/, '') },
      measure: ({ inWorkspace }) => tests(fakeCase(A), ...(inWorkspace ? [] : [fakeCase(B)])),
      found: ['error reeve/test-deleted'],
    },
    {
      what: 'does not miss tests whose parameters were renamed',
      change: { 'a.test.js': `${test}\n` },
      measure: ({ inWorkspace }) => tests(fakeCase(A), fakeCase(inWorkspace ? 'a.test.js > row 2' : 'a.test.js > row 1')),
      found: [],
    },
  ]
  it.each(cases)('$what', async ({ change, found, kind, base: own, measure, settings, status }) => {
    const judged = await judgeWorld({
      base: own ?? base,
      change: own ? { ...own, ...from(change) } : from(change),
      measure: measure ?? green,
      ...(kind ? { kind } : {}),
      ...(settings ? { settings } : {}),
    })
    const integrity = gate(judged, 'integrity')
    expect(integrity.findings.map((it) => `${it.severity} ${it.rule}`)).toEqual(found)
    expect(integrity.findings.every((it) => it.attribution === 'tampered')).toBe(true)
    expect(integrity.status).toBe(status ?? (found.length > 0 ? 'failed' : 'passed'))
    expect(judged.open).toBe(0)
  })

  it('names a protected file that was changed', async () => {
    const judged = await judgeWorld({
      base,
      change: from({ 'a.test.js': test.replace('toBe(3)', 'toBe(4)') }),
      kind: 'bugfix',
      measure: green,
      protectedFiles: { 'a.test.js': test },
    })
    const messages = gate(judged, 'integrity')
      .findings.filter((it) => it.rule === 'reeve/protected-file-changed')
      .map((it) => it.message)
    expect(messages).toEqual(['The protected file "a.test.js" was changed.'])
  })

  it('says in one sentence what was done', async () => {
    const judged = await judgeWorld({
      base,
      change: from({ 'a.test.js': test.replace("it('halves'", "it.skip('halves'") }),
      measure: green,
    })
    expect(judged.verdict.summary).toBe('The test "halves" ran on the base and is skipped now; 1 gate passed.')
  })

  it('judges with the commands of the base, and in a copy with its configuration, when the change made them weaker', async () => {
    const judged = await judgeWorld({
      base,
      change: from({ 'package.json': manifest({ test: 'exit 0', lint: 'eslint .' }), 'src/new.js': 'new' }),
      commands: byManifest,
      measure: ({ files }) =>
        JSON.parse(files['package.json'] ?? '').scripts.test === 'vitest run' && 'src/new.js' in files
          ? tests(fakeCase(A, 'failed'), fakeCase(B))
          : green(),
    })
    const found = gate(judged, 'tests')
    expect(found).toMatchObject({ command: 'vitest run', status: 'failed' })
    expect(found.reason).toContain('Judged in a copy with the base\'s version of "package.json"')
    expect(attributions(judged)).toEqual([`introduced ${A}`])
    expect(judged.open).toBe(0)
  })

  it('takes a command that the base does not have from the change, and says so', async () => {
    const judged = await judgeWorld({
      base: { 'src/a.js': 'one\n' },
      change: { 'src/a.js': 'one\n', 'package.json': manifest({ test: 'vitest run' }) },
      commands: (files) => ('package.json' in files ? [fakeCommand('tests')] : []),
      measure: () => tests(fakeCase(A)),
    })
    expect(gate(judged, 'tests').status).toBe('warning')
    expect(gate(judged, 'tests').findings[0]?.message).toBe('The base has no command for tests; this one comes from the change: run tests')
  })
})
