import { describe, expect, it } from 'vitest'
import { argvs, detect, of, pack } from '../../../test/support/detecting.ts'

const tests = async (test: string, more: Record<string, string> = {}) =>
  of(await detect({ 'package.json': pack({ test }), ...more }), 'tests')
const found = async (files: Record<string, string>) =>
  of(await detect({ 'package.json': pack({ test: 'x y', build: 'b' }), ...files }), 'build')?.argv
const lint = async (line: string) => of(await detect({ 'package.json': pack({ lint: line }) }), 'lint')?.argv

describe('JavaScript', () => {
  it('extends the own command line of each runner', async () => {
    expect((await tests('vitest --config x.ts --reporter dot src'))?.argv).toEqual([
      'vitest',
      'run',
      '--config',
      'x.ts',
      'src',
      '--reporter=default',
      '--reporter=junit',
      '--outputFile.junit={report}/junit.xml',
      '{tests}',
    ])
    expect((await tests('jest --watch -c j.json'))?.argv).toEqual([
      'jest',
      '-c',
      'j.json',
      '--ci',
      '--watchAll=false',
      '--json',
      '--outputFile={report}/jest.json',
      '--testLocationInResults',
      '{tests}',
    ])
    expect((await tests('mocha -R dot -r ts-node/register "test/**/*.ts"'))?.argv).toEqual([
      'mocha',
      '-r',
      'ts-node/register',
      'test/**/*.ts',
      '--reporter',
      'json',
      '--reporter-option',
      'output={report}/mocha.json',
      '{tests}',
    ])
    expect((await tests('c8 -r text ava --verbose'))?.argv).toEqual(['ava', '--tap', '{tests}'])
    expect((await tests('bun test'))?.tool).toBe('bun-test')
  })

  it('gives node its options before the files, which it expands like a shell', async () => {
    expect(await tests('node --import tsx --test test/**/*.test.ts')).toMatchObject({
      tool: 'node-test',
      argv: [
        'node',
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        '--test-reporter=junit',
        '--test-reporter-destination={report}/junit.xml',
        '--import',
        'tsx',
        '--test',
        'test/*/*.test.ts',
        '{tests}',
      ],
      testPaths: ['test/*/*.test.ts'],
      globs: ['test/*/*.test.ts'],
    })
  })

  it('follows scripts that start others, and names the one that does the work', async () => {
    const commands = await detect({
      'package.json': pack({ test: 'npm run unit', unit: 'yarn really', really: 'NODE_ENV=test vitest run' }),
    })
    expect(of(commands, 'tests')).toMatchObject({
      tool: 'vitest',
      command: 'npm test',
      reason: '"scripts.really" in package.json is "NODE_ENV=test vitest run"',
      env: { NODE_ENV: 'test', CI: '1' },
    })
  })

  it('does not follow in circles', async () => {
    expect(argvs(await detect({ 'package.json': pack({ test: 'npm run a', a: 'npm test' }) }))).toEqual(['tests: npm test'])
  })

  it('runs what stands before the runner, and the pre script', async () => {
    const commands = await detect({ 'package.json': pack({ pretest: 'echo first', test: 'A=1 tsc -b && vitest run' }) })
    expect(of(commands, 'tests')?.prepare).toEqual([{ argv: ['npm', 'run', 'pretest'] }, { argv: ['env', 'A=1', 'tsc', '-b'] }])
  })

  it('runs a script as it is when it does not understand it', async () => {
    for (const test of [
      'vitest run | tee log',
      'vitest run && echo done',
      'cd sub && vitest run',
      'vitest bench',
      'turbo test',
      'node test.js',
      './run.sh',
    ])
      expect(await tests(test), test).toMatchObject({ tool: 'npm-script', argv: ['npm', 'test'], report: { format: 'exit-code' } })
  })

  it('takes the package manager from the lockfile or the manifest', async () => {
    expect(await found({ 'pnpm-lock.yaml': '' })).toEqual(['pnpm', 'run', 'build'])
    expect(await found({ 'yarn.lock': '' })).toEqual(['yarn', 'run', 'build'])
    expect(await found({ 'bun.lock': '' })).toEqual(['bun', 'run', 'build'])
    expect(await found({ 'package.json': JSON.stringify({ packageManager: 'pnpm@9.1.0', scripts: { build: 'b' } }) })).toEqual([
      'pnpm',
      'run',
      'build',
    ])
    expect(of(await detect({ 'package.json': pack({ test: 'vitest' }), 'pnpm-lock.yaml': '' }), 'tests')?.needs?.hint).toContain(
      'pnpm install --frozen-lockfile',
    )
  })

  it('lets yarn find the program where there is no node_modules', async () => {
    expect((await tests('vitest run', { 'yarn.lock': '', '.pnp.cjs': '' }))?.argv.slice(0, 3)).toEqual(['yarn', 'vitest', 'run'])
  })

  it('goes by dependencies and configuration when there is no script', async () => {
    const commands = await detect({
      'package.json': pack({}, { vitest: '1', typescript: '5', '@biomejs/biome': '2' }),
      'tsconfig.json': '{}',
      'biome.json': '{}',
    })
    expect(commands.map((it) => `${it.gate} ${it.tool}: ${it.reason}`)).toEqual([
      'types tsc: tsconfig.json',
      'lint biome: biome.json',
      'tests vitest: vitest among the dependencies of package.json',
      'coverage vitest-coverage: vitest among the dependencies of package.json, with coverage',
    ])
    expect(of(commands, 'types')?.argv).toEqual(['tsc', '-p', 'tsconfig.json', '--noEmit', '--pretty', 'false'])
    expect(of(commands, 'coverage')?.needs).toMatchObject({ program: 'node_modules/@vitest/coverage-v8/package.json' })
  })

  it('knows node:test by its import', async () => {
    const commands = await detect({ 'package.json': '{}', 'test/a.test.js': "import test from 'node:test'\n" })
    expect(of(commands, 'tests')).toMatchObject({ tool: 'node-test', reason: 'test files that import node:test' })
  })

  it('takes options that change files out of linters', async () => {
    expect(await lint('eslint --fix --ext .ts src -f stylish')).toEqual([
      'eslint',
      '--ext',
      '.ts',
      'src',
      '-f',
      'json',
      '-o',
      '{report}/eslint.json',
    ])
    expect(await lint('biome check --write .')).toEqual(['biome', 'check', '.', '--reporter=json', '--colors=off'])
    expect(await lint('oxlint --fix')).toEqual(['oxlint', '-f', 'json'])
    expect(await lint('prettier --check .')).toEqual(['npm', 'run', 'lint'])
  })
})
