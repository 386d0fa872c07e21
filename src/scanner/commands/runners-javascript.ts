import { texts } from './command.ts'
import { after, type Extension, type Runner } from './runner.ts'
import { positionals, type Word, withoutOptions } from './shell-words.ts'

const INSTALL = 'Run npm ci, or add it to [project] setup in reeve.toml.'
const needs = (program: string) => ({ program, hint: INSTALL })
const LCOV = { format: 'lcov', path: '{report}/coverage/lcov.info' } as const

/** `npx vitest`, `pnpm exec vitest`, `yarn run vitest`: the program itself, found in node_modules/.bin. */
const STARTERS = [
  ['npx'],
  ['bunx'],
  ['pnpm', 'exec'],
  ['npm', 'exec', '--'],
  ['yarn', 'run'],
  ['yarn', 'exec'],
  ['bun', 'run'],
  ['yarn'],
  ['pnpm'],
]
const STARTER_FLAGS = new Set(['--no', '--no-install', '-y', '--yes', '--bun', '-s', '--silent'])

export function withoutStarter(words: readonly Word[]): readonly Word[] {
  for (const starter of STARTERS) {
    const rest = after(words, ...starter)
    if (!rest || rest.length === 0) continue
    const flags = rest.findIndex((it) => !STARTER_FLAGS.has(it.text))
    return flags > 0 ? rest.slice(flags) : rest
  }
  return words
}

function program(words: readonly Word[], ...names: readonly string[]): readonly Word[] | null {
  return after(withoutStarter(words), ...names)
}

const VITEST_VALUED = [
  '-c --config -r --root --dir --project -t --testNamePattern --environment --pool --mode --shard --retry --bail',
  '--testTimeout --hookTimeout --exclude --maxWorkers --minWorkers --coverage.provider',
].flatMap((it) => it.split(' '))
const JEST_VALUED = [
  '-c --config --rootDir -t --testNamePattern --testTimeout -w --maxWorkers --env --shard --projects',
  '--selectProjects --testEnvironment --roots --testPathIgnorePatterns',
].flatMap((it) => it.split(' '))
const MOCHA_VALUED = [
  '-r --require --config -t --timeout -g --grep -f --fgrep -u --ui --extension --file --ignore -s --slow --retries',
  '-j --jobs --loader --import -n --node-option --spec --package',
].flatMap((it) => it.split(' '))
const AVA_VALUED = ['-m', '--match', '--config', '-c', '--concurrency', '-T', '--timeout', '--node-arguments']
const NODE_VALUED = [
  '-r --require --import --loader --experimental-loader --test-name-pattern --test-skip-pattern --env-file',
  '--conditions -C --test-timeout --test-concurrency --test-shard --tsconfig',
].flatMap((it) => it.split(' '))

const WATCHING = ['-w', '--watch', '--watchAll', '--ui', '--open']

const vitestOwn = (own: readonly Word[]) =>
  withoutOptions(own, { flags: WATCHING, valued: ['--reporter', '--outputFile'] }).filter(
    (it, at) => at > 0 || !['run', 'watch', 'dev'].includes(it.text),
  )

function vitest(own: readonly Word[], extra: readonly string[], report: Extension['report']): Extension {
  const args = vitestOwn(own)
  // CI=1: a missing snapshot is a failure, not a file that is written.
  return {
    argv: ['vitest', 'run', ...texts(args), ...extra, '{tests}'],
    report,
    needs: needs('vitest'),
    chosen: positionals(args, VITEST_VALUED),
    env: { CI: '1' },
  }
}

const JUNIT = { format: 'junit', path: '{report}/junit.xml' } as const

const VITEST: Runner = {
  tool: 'vitest',
  gate: 'tests',
  arguments(words) {
    const own = program(words, 'vitest')
    return own && !['bench', 'typecheck', 'init', 'list', 'related'].includes(own[0]?.text ?? '') ? own : null
  },
  extend: (own) => vitest(own, ['--reporter=default', '--reporter=junit', '--outputFile.junit={report}/junit.xml'], JUNIT),
  cover: (own) => ({
    ...vitest(
      withoutOptions(own, { flags: ['--coverage'], valued: ['--coverage.reporter', '--coverage.reportsDirectory'] }),
      ['--coverage.enabled', '--coverage.reporter=lcovonly', '--coverage.reportsDirectory={report}/coverage'],
      LCOV,
    ),
    tool: 'vitest-coverage',
    needs: { program: 'node_modules/vitest/package.json', hint: INSTALL },
  }),
}

function jestOf(runner: 'jest' | 'react-scripts'): Runner {
  const start: [string, ...string[]] = runner === 'jest' ? ['jest'] : ['react-scripts', 'test']
  const build = (own: readonly Word[], extra: readonly string[], report: Extension['report']): Extension => {
    const args = withoutOptions(own, {
      flags: [...WATCHING, '--json', '--ci', '--coverage'],
      valued: ['--outputFile', '--coverageReporters', '--coverageDirectory'],
    })
    const [first, ...rest] = start
    return {
      argv: [first, ...rest, ...texts(args), '--ci', '--watchAll=false', ...extra, '{tests}'],
      report,
      needs: needs(first),
      chosen: positionals(args, JEST_VALUED),
      env: { CI: '1' },
    }
  }
  return {
    tool: 'jest',
    gate: 'tests',
    arguments: (words) => program(words, ...start),
    extend: (own) =>
      build(own, ['--json', '--outputFile={report}/jest.json', '--testLocationInResults'], { format: 'json', path: '{report}/jest.json' }),
    cover: (own) => ({
      ...build(own, ['--coverage', '--coverageReporters=lcovonly', '--coverageDirectory={report}/coverage'], LCOV),
      tool: 'jest-coverage',
    }),
  }
}

/** c8 measures what a child does; the project's own c8 or nyc in front of the runner is left out of the tests gate. */
function behindCover(words: readonly Word[]): readonly Word[] {
  const own = program(words, 'c8') ?? program(words, 'nyc')
  const at = own?.findIndex((it) => ['node', 'mocha', 'ava', 'tsx'].includes(it.text)) ?? -1
  return own && at >= 0 ? own.slice(at) : words
}

function coveredByC8(extension: Extension): Extension & { tool: string } {
  return {
    ...extension,
    argv: ['c8', '--reporter=lcovonly', '--report-dir={report}/coverage', '--temp-directory={report}/c8', ...extension.argv],
    report: LCOV,
    needs: { program: 'c8', hint: 'Run npm install --save-dev c8, and npm ci in [project] setup of reeve.toml.' },
    tool: 'c8',
  }
}

const mocha = (own: readonly Word[]): Extension => {
  const args = withoutOptions(own, {
    flags: ['-w', '--watch'],
    valued: ['-R', '--reporter', '-O', '--reporter-option', '--reporter-options'],
  })
  return {
    argv: ['mocha', ...texts(args), '--reporter', 'json', '--reporter-option', 'output={report}/mocha.json', '{tests}'],
    report: { format: 'json', path: '{report}/mocha.json' },
    needs: needs('mocha'),
    chosen: positionals(args, MOCHA_VALUED),
  }
}

const MOCHA: Runner = {
  tool: 'mocha',
  gate: 'tests',
  arguments: (words) => program(behindCover(words), 'mocha') ?? program(behindCover(words), '_mocha'),
  extend: mocha,
  cover: (own) => coveredByC8(mocha(own)),
}

const ava = (own: readonly Word[]): Extension => {
  const args = withoutOptions(own, { flags: ['-w', '--watch', '-t', '--tap', '-v', '--verbose'] })
  return {
    argv: ['ava', ...texts(args), '--tap', '{tests}'],
    report: { format: 'tap', path: null },
    needs: needs('ava'),
    chosen: positionals(args, AVA_VALUED),
  }
}

const AVA: Runner = {
  tool: 'ava',
  gate: 'tests',
  arguments: (words) => program(behindCover(words), 'ava'),
  extend: ava,
  cover: (own) => coveredByC8(ava(own)),
}

function nodeTest(start: 'node' | 'tsx'): Runner {
  const build = (own: readonly Word[], extra: readonly string[], report: Extension['report']): Extension => {
    const args = withoutOptions(own, { flags: ['--watch'], valued: ['--test-reporter', '--test-reporter-destination'] })
    const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout', ...extra]
    return {
      // Node takes its options before the first file only.
      argv: [start, ...reporters, ...texts(args), '{tests}'],
      report,
      needs: start === 'node' ? { program: 'node', hint: 'Install Node.' } : needs('tsx'),
      chosen: positionals(args, NODE_VALUED),
    }
  }
  return {
    tool: 'node-test',
    gate: 'tests',
    arguments(words) {
      const own = program(behindCover(words), start)
      return own?.some((it) => it.text === '--test') ? own : null
    },
    extend: (own) => build(own, ['--test-reporter=junit', '--test-reporter-destination={report}/junit.xml'], JUNIT),
    cover: (own) => ({
      ...build(
        own.filter((it) => it.text !== '--experimental-test-coverage'),
        ['--experimental-test-coverage', '--test-reporter=lcov', '--test-reporter-destination={report}/lcov.info'],
        { format: 'lcov', path: '{report}/lcov.info' },
      ),
      tool: 'node-coverage',
    }),
  }
}

const BUN: Runner = {
  tool: 'bun-test',
  gate: 'tests',
  arguments: (words) => after(words, 'bun', 'test'),
  extend: (own) => ({
    argv: ['bun', 'test', ...texts(own), '--reporter=junit', '--reporter-outfile={report}/junit.xml', '{tests}'],
    report: JUNIT,
    needs: { program: 'bun', hint: 'Install Bun.' },
    chosen: positionals(own, ['--timeout', '-t', '--test-name-pattern', '--preload', '-r', '--bail', '--rerun-each', '--seed']),
  }),
}

const FIXES = ['--fix', '--fix-dry-run', '--write', '--apply', '--unsafe', '--fix-suggestions', '--fix-dangerously']

const ESLINT: Runner = {
  tool: 'eslint',
  gate: 'lint',
  arguments: (words) => program(words, 'eslint'),
  extend: (own) => ({
    argv: [
      'eslint',
      ...texts(withoutOptions(own, { flags: FIXES, valued: ['-f', '--format', '-o', '--output-file'] })),
      '-f',
      'json',
      '-o',
      '{report}/eslint.json',
    ],
    report: { format: 'json', path: '{report}/eslint.json' },
    needs: needs('eslint'),
  }),
}

const BIOME: Runner = {
  tool: 'biome',
  gate: 'lint',
  arguments(words) {
    const own = program(words, 'biome')
    return own && ['ci', 'check', 'lint', 'format'].includes(own[0]?.text ?? '') ? own : null
  },
  extend: (own) => ({
    argv: ['biome', ...texts(withoutOptions(own, { flags: FIXES, valued: ['--reporter', '--colors'] })), '--reporter=json', '--colors=off'],
    report: { format: 'json', path: null },
    needs: needs('biome'),
  }),
}

const OXLINT: Runner = {
  tool: 'oxlint',
  gate: 'lint',
  arguments: (words) => program(words, 'oxlint'),
  extend: (own) => ({
    argv: ['oxlint', ...texts(withoutOptions(own, { flags: FIXES, valued: ['-f', '--format'] })), '-f', 'json'],
    report: { format: 'json', path: null },
    needs: needs('oxlint'),
  }),
}

function tscOf(name: 'tsc' | 'vue-tsc'): Runner {
  return {
    tool: 'tsc',
    gate: 'types',
    arguments: (words) => program(words, name),
    extend(own) {
      const args = texts(withoutOptions(own, { flags: ['-w', '--watch', '--noEmit'], valued: ['--pretty'] }))
      const builds = args.some((it) => it === '-b' || it === '--build')
      return {
        argv: [name, ...args, ...(builds ? [] : ['--noEmit']), '--pretty', 'false'],
        report: { format: 'text', path: null },
        needs: needs(name),
      }
    },
  }
}

export const JAVASCRIPT_TEST_RUNNERS: readonly Runner[] = [
  VITEST,
  jestOf('jest'),
  jestOf('react-scripts'),
  MOCHA,
  AVA,
  nodeTest('node'),
  nodeTest('tsx'),
  BUN,
]
export const JAVASCRIPT_LINTERS: readonly Runner[] = [ESLINT, BIOME, OXLINT]
export const JAVASCRIPT_TYPE_CHECKERS: readonly Runner[] = [tscOf('tsc'), tscOf('vue-tsc')]
