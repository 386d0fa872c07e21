import { texts } from './command.ts'
import { after, type Extension, type Runner } from './runner.ts'
import { positionals, type Word, withoutOptions } from './shell-words.ts'

const PYTHON = ['python3', 'python', 'py', '.venv/bin/python', 'venv/bin/python'] as const
const BY =
  'Put it into [project] setup of reeve.toml, for example: setup = ["python3 -m venv .venv", ".venv/bin/pip install -r requirements.txt"].'
const needsPython = { program: 'python3', hint: 'Install Python 3.' }
const PYTEST_VALUED = [
  '-k -m -c -p -o -n -W -r --maxfail --tb --ignore --deselect --rootdir --confcutdir --durations --cov',
  '--cov-report --cov-config --import-mode --basetemp --timeout --log-level --junitxml --override-ini',
].flatMap((it) => it.split(' '))

/** `uv run`, `poetry run`, `pipenv run`: they know the environment, so they stay in front. */
export function pythonStarter(words: readonly Word[]): { start: string[]; rest: readonly Word[] } {
  for (const name of ['uv', 'poetry', 'pipenv', 'pdm', 'rye']) {
    const rest = after(words, name, 'run')
    if (rest) return { start: [name, 'run'], rest }
  }
  return { start: [], rest: words }
}

function module(words: readonly Word[], name: string): readonly Word[] | null {
  const { rest } = pythonStarter(words)
  return after(rest, PYTHON, '-m', name) ?? after(rest, name)
}

/** Bytecode of measured code stays out of the tree. */
const ENV = { PYTHONDONTWRITEBYTECODE: '1' }

const pytestArguments = (own: readonly Word[]) =>
  withoutOptions(own, {
    flags: ['-x', '--exitfirst', '-s', '--pdb', '--lf', '--ff', '--sw', '--nf'],
    valued: ['--junitxml', '--junit-xml', '--maxfail'],
  })

/** junit_family=xunit1 names file and line of each test. A file that cannot be imported must not hide the others. */
const PYTEST_REPORT = ['--junitxml={report}/junit.xml', '-o', 'junit_family=xunit1', '--continue-on-collection-errors']

export const PYTEST: Runner = {
  tool: 'pytest',
  gate: 'tests',
  arguments: (words) => module(words, 'pytest') ?? module(words, 'py.test'),
  extend(own): Extension {
    const args = pytestArguments(own)
    return {
      argv: ['python3', '-m', 'pytest', ...texts(args), ...PYTEST_REPORT, '{tests}'],
      report: { format: 'junit', path: '{report}/junit.xml' },
      needs: { program: needsPython.program, hint: `Install Python 3 and pytest. ${BY}` },
      chosen: positionals(args, PYTEST_VALUED),
      env: ENV,
    }
  },
  cover(own) {
    const args = withoutOptions(pytestArguments(own), {
      flags: ['--cov', '--no-cov'],
      valued: ['--cov-report', '--cov-config', '--cov-fail-under'],
    })
    return covered(['-m', 'pytest', ...texts(args.filter((it) => !it.text.startsWith('--cov')))])
  },
}

/** coverage.py around any module; its data stays in the report folder. */
function covered(program: readonly string[]): Extension & { tool: string } {
  return {
    tool: 'coverage.py',
    argv: ['python3', '-m', 'coverage', 'json', '-o', '{report}/coverage.json'],
    report: { format: 'json', path: '{report}/coverage.json' },
    needs: { program: 'python3', hint: `Install Python 3 and coverage. ${BY}` },
    env: { ...ENV, COVERAGE_FILE: '{report}/.coverage' },
    prepare: [
      // One data file per process (-p), then all of them together: so it is the same whether the tests start processes of their own or not.
      { argv: ['python3', '-m', 'coverage', 'run', '-p', '--source=.', ...program], mayFail: true },
      { argv: ['python3', '-m', 'coverage', 'combine'], mayFail: true },
    ],
  }
}

/** The script is written into the report folder by the gate that runs it. */
const UNITTEST_RUNNER = '{report}/reeve_unittest.py'

export const UNITTEST: Runner = {
  tool: 'unittest',
  gate: 'tests',
  arguments: (words) => module(words, 'unittest'),
  extend(own) {
    return {
      argv: ['python3', UNITTEST_RUNNER, '{report}/unittest.json', ...texts(own), '{tests}'],
      report: { format: 'json', path: '{report}/unittest.json' },
      needs: needsPython,
      chosen: own,
      env: ENV,
    }
  },
  cover: (own) => covered([UNITTEST_RUNNER, '{report}/unittest.json', ...texts(own)]),
}

const RUFF: Runner = {
  tool: 'ruff',
  gate: 'lint',
  arguments(words) {
    const own = module(words, 'ruff')
    return own?.[0]?.text === 'check' ? own.slice(1) : null
  },
  extend: (own) => ({
    argv: [
      'ruff',
      'check',
      ...texts(withoutOptions(own, { flags: ['--fix', '--unsafe-fixes'], valued: ['--output-format'] })),
      '--output-format=json',
    ],
    report: { format: 'json', path: null },
    needs: { program: 'ruff', hint: `Install ruff. ${BY}` },
  }),
}

const FLAKE8: Runner = {
  tool: 'flake8',
  gate: 'lint',
  arguments: (words) => module(words, 'flake8'),
  extend: (own) => ({
    argv: ['python3', '-m', 'flake8', ...texts(withoutOptions(own, { valued: ['--format'] })), '--format=default'],
    report: { format: 'text', path: null },
    needs: { program: 'python3', hint: `Install flake8. ${BY}` },
    env: ENV,
  }),
}

const MYPY: Runner = {
  tool: 'mypy',
  gate: 'types',
  arguments: (words) => module(words, 'mypy'),
  extend: (own) => ({
    argv: [
      'python3',
      '-m',
      'mypy',
      ...texts(own),
      '--no-pretty',
      '--no-color-output',
      '--no-error-summary',
      '--show-error-codes',
      '--hide-error-context',
    ],
    report: { format: 'text', path: null },
    needs: { program: 'python3', hint: `Install mypy. ${BY}` },
    env: ENV,
  }),
}

const PYRIGHT: Runner = {
  tool: 'pyright',
  gate: 'types',
  arguments: (words) => {
    const { rest } = pythonStarter(words)
    return after(rest, 'pyright') ?? after(rest, 'basedpyright')
  },
  extend: (own) => ({
    argv: ['pyright', ...texts(own.filter((it) => it.text !== '--outputjson')), '--outputjson'],
    report: { format: 'json', path: null },
    needs: { program: 'pyright', hint: `Install pyright. ${BY}` },
  }),
}

export const PYTHON_TEST_RUNNERS: readonly Runner[] = [PYTEST, UNITTEST]
export const PYTHON_LINTERS: readonly Runner[] = [RUFF, FLAKE8]
export const PYTHON_TYPE_CHECKERS: readonly Runner[] = [MYPY, PYRIGHT]
