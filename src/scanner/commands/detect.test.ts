import { describe, expect, it } from 'vitest'
import { argvs, detect, of, pack } from '../../../test/support/detecting.ts'

const report = async (gate: object) => of(await detect({}, { gates: { tests: { command: 'x', ...gate } } }), 'tests')?.report

describe('the order of what is asked', () => {
  const files = { 'package.json': pack({ test: 'make-it-so', lint: 'eslint .', typecheck: 'tsc' }) }

  const tests = async (command: string, more: Record<string, string> = {}) =>
    of(await detect({ ...files, ...more }, { gates: { tests: { command } } }), 'tests')

  it('takes a command of the settings before all others, and runs it by the shell', async () => {
    const commands = await detect(files, {
      gates: { tests: { command: 'make all | tee log', cwd: 'sub' }, licences: { command: 'check-licences' } },
    })
    expect(of(commands, 'tests')).toMatchObject({
      tool: 'configured',
      argv: ['/bin/sh', '-c', 'make all | tee log'],
      cwd: 'sub',
      reason: '[gates.tests] in reeve.toml',
      command: 'make all | tee log',
    })
    expect(of(commands, 'licences')?.argv).toEqual(['/bin/sh', '-c', 'check-licences'])
    expect(commands.filter((it) => it.gate === 'tests')).toHaveLength(1)
  })

  it('leaves out a gate that is switched off', async () => {
    const commands = await detect(files, { gates: { lint: { enabled: false }, tests: { enabled: false, command: 'x' } } })
    expect(commands.map((it) => it.gate)).toEqual(['types'])
  })

  it('reads the report that a configured command is said to write', async () => {
    expect(await report({ report: 'out/results.xml' })).toEqual({ format: 'junit', path: 'out/results.xml' })
    expect(await report({ report: 'out/lcov.info' })).toEqual({ format: 'lcov', path: 'out/lcov.info' })
    expect(await report({ report: 'out/x.json', report_format: 'sarif' })).toEqual({ format: 'sarif', path: 'out/x.json' })
    expect(await report({ report_format: 'tap' })).toEqual({ format: 'tap', path: null })
    expect(await report({})).toEqual({ format: 'exit-code', path: null })
  })

  it('asks a runner for its report when the configured test command is a plain call of it', async () => {
    expect(await tests('npx vitest run src')).toMatchObject({
      tool: 'vitest',
      testPaths: ['src'],
      command: 'npx vitest run src',
      reason: '[gates.tests] in reeve.toml',
    })
    expect(await tests('python -m pytest -q')).toMatchObject({ tool: 'pytest' })
    expect(await tests('go test ./pkg/...')).toMatchObject({ tool: 'go-test', argv: ['go', 'test', '-json', '{tests}', './pkg/...'] })
    expect(await tests('cmake -S . -B out && cmake --build out && ctest --test-dir out')).toMatchObject({
      tool: 'ctest',
      prepare: [{ argv: ['cmake', '-S', '.', '-B', 'out'] }, { argv: ['cmake', '--build', 'out'] }],
    })
    expect(await tests('npm test', { 'package.json': pack({ test: 'vitest run' }) })).toMatchObject({ tool: 'vitest' })
    expect(await tests('npm test -- src/a.test.ts', { 'package.json': pack({ test: 'vitest run' }) })).toMatchObject({
      tool: 'vitest',
      testPaths: ['src/a.test.ts'],
    })
    expect(await tests('cd sub && pytest')).toMatchObject({ tool: 'configured', argv: ['/bin/sh', '-c', 'cd sub && pytest'] })
    expect(await tests('bundle exec rspec')).toMatchObject({ tool: 'configured' })
  })

  it('adds the tests of the task as gates of their own', async () => {
    const commands = await detect(files, { acceptance: { tests: ['make smoke', 'npx vitest run e2e'] } })
    expect(of(commands, 'acceptance-1')).toMatchObject({
      tool: 'configured',
      argv: ['/bin/sh', '-c', 'make smoke'],
      reason: '"acceptance.tests" of the task, number 1',
    })
    expect(of(commands, 'acceptance-2')).toMatchObject({ tool: 'vitest' })
    expect(of(commands, 'tests')).toMatchObject({ argv: ['npm', 'test'] })
  })

  it('takes lint and typecheck of the task instead of what it would detect, beside what is configured', async () => {
    const given = { acceptance: { lint: 'my-lint', typecheck: false } }
    expect(argvs(await detect(files, given))).toEqual(['lint: /bin/sh -c my-lint', 'tests: npm test'])
    const commands = await detect(files, { ...given, gates: { lint: { command: 'house-lint' }, types: { command: 'house-types' } } })
    expect(of(commands, 'lint')?.argv.at(-1)).toBe('house-lint')
    expect(of(commands, 'acceptance-lint')?.argv.at(-1)).toBe('my-lint')
    expect(of(commands, 'types')?.argv.at(-1)).toBe('house-types')
  })

  it('goes from the cheap to the dear', async () => {
    const commands = await detect({ 'package.json': pack({ test: 'vitest run', lint: 'eslint .', typecheck: 'tsc', build: 'vite build' }) })
    expect(commands.map((it) => it.gate)).toEqual(['build', 'types', 'lint', 'tests', 'coverage'])
  })

  it('finds nothing where nothing is', async () => {
    expect(await detect({ 'README.md': '' })).toEqual([])
    expect(await detect({ 'package.json': '{ broken' })).toEqual([])
    expect(await detect({ 'package.json': pack({ test: 'echo "Error: no test specified" && exit 1' }) })).toEqual([])
  })
})

describe('a repository of several parts', () => {
  const files = {
    'backend/pyproject.toml': '[tool.pytest.ini_options]\n',
    'frontend/package.json': pack({ test: 'vitest run' }),
    'frontend/node_modules/x/package.json': pack({ test: 'never' }),
    'examples/demo/package.json': pack({ test: 'never' }),
  }

  it('has the commands of all parts', async () => {
    const commands = await detect(files)
    expect(commands.filter((it) => it.gate === 'tests').map((it) => `${it.cwd} ${it.tool}`)).toEqual(['frontend vitest', 'backend pytest'])
  })

  it('is not judged by fixtures, examples and vendored code', async () => {
    const foreign = {
      'test/fixtures/py/tests/test_a.py': 'import pytest\n',
      'vendor/x/spec/a_spec.rb': '',
      'node_modules/x/test/a.test.js': "'node:test'",
    }
    expect(await detect({ ...foreign, 'package.json': '{}', Rakefile: '' })).toEqual([])
    const example = { 'examples/demo/package.json': pack({ test: 'vitest run' }), 'package.json': pack({ test: 'jest' }) }
    expect(of(await detect(example, { targetDir: 'examples/demo' }), 'tests')?.tool).toBe('vitest')
    expect(of(await detect(example), 'tests')?.tool).toBe('jest')
  })

  it('has those of the part that is worked on, when it is one', async () => {
    const commands = await detect({ ...files, 'Cargo.toml': '' }, { targetDir: 'backend' })
    expect(commands.map((it) => `${it.gate} ${it.cwd} ${it.tool}`)).toEqual(['tests backend pytest', 'coverage backend coverage.py'])
  })

  it('goes up from a folder that is no part of its own', async () => {
    const commands = await detect({ 'package.json': pack({ test: 'vitest run' }), 'src/deep/a.js': '' }, { targetDir: 'src/deep' })
    expect(commands.map((it) => `${it.gate} ${it.cwd}`)).toEqual(['tests .', 'coverage .'])
  })
})
