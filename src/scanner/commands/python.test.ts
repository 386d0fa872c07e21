import { describe, expect, it } from 'vitest'
import { detect, of } from '../../../test/support/detecting.ts'

const pyproject = (text: string) => ({ 'pyproject.toml': text, 'tests/test_a.py': 'def test_a(): pass\n' })
const reason = async (files: Record<string, string>) => of(await detect(files), 'tests')?.reason
const argv = async (files: Record<string, string>) => of(await detect(files), 'tests')?.argv.slice(3)
const found = async (files: Record<string, string>) => (await detect(files)).map((it) => `${it.gate} ${it.tool}`)

describe('Python', () => {
  it('knows pytest by its configuration, its dependency or its tests', async () => {
    expect(await reason(pyproject('[tool.pytest.ini_options]\n'))).toBe('[tool.pytest.ini_options] in pyproject.toml')
    expect(await reason({ 'setup.cfg': '[tool:pytest]\n' })).toBe('[tool:pytest] in setup.cfg')
    expect(await reason({ 'requirements-dev.txt': 'pytest>=7\n', 'requirements.txt': '' })).toBe('pytest among the dependencies')
    expect(await reason({ 'pyproject.toml': '[project]\ndependencies = ["pytest"]\n' })).toBe('pytest among the dependencies')
    expect(await reason({ 'setup.py': '', 'tests/test_a.py': 'import pytest\n' })).toBe('tests/test_a.py imports pytest')
    expect(await reason({ 'test_a.py': 'def test_a(): pass\n' })).toBe('test_a.py has plain test functions')
  })

  it('runs unittest from the folder that holds the tests', async () => {
    const test = 'import unittest\n'
    expect(await argv({ 'setup.py': '', 'tests/test_a.py': test })).toEqual(['discover', '-s', 'tests', '{tests}'])
    expect(await argv({ 'setup.py': '', 'tests/__init__.py': '', 'tests/test_a.py': test })).toEqual([
      'discover',
      '-s',
      'tests',
      '-t',
      '.',
      '{tests}',
    ])
    expect(await argv({ 'setup.py': '', 'test_a.py': test })).toEqual(['discover', '{tests}'])
  })

  it('respects how the project calls its tools', async () => {
    const makefile = await detect({
      ...pyproject(''),
      Makefile: 'test:\n\t@python -m pytest -q -k "not slow" tests\n\nlint:\n\truff check src\n',
    })
    expect(of(makefile, 'tests')?.argv).toEqual([
      'python3',
      '-m',
      'pytest',
      '-q',
      '-k',
      'not slow',
      'tests',
      '--junitxml={report}/junit.xml',
      '-o',
      'junit_family=xunit1',
      '--continue-on-collection-errors',
      '{tests}',
    ])
    expect(of(makefile, 'tests')).toMatchObject({
      testPaths: ['tests'],
      reason: 'target "test" of the Makefile is "python -m pytest -q -k "not slow" tests"',
    })
    expect(of(makefile, 'lint')?.argv).toEqual(['ruff', 'check', 'src', '--output-format=json'])
    const task = await detect(pyproject('[tool.pdm.scripts]\ntest = "pytest -x checks"\n'))
    expect(of(task, 'tests')).toMatchObject({ testPaths: ['checks'] })
    const uv = await detect(pyproject('[tool.poe.tasks]\ntest = { cmd = "uv run pytest" }\n'))
    expect(of(uv, 'tests')).toMatchObject({ argv: expect.arrayContaining(['uv', 'run', 'python3', 'pytest']), needs: { program: 'uv' } })
  })

  it('finds the linters and type checkers that are configured', async () => {
    expect(await found({ 'pyproject.toml': '[tool.ruff]\n[tool.mypy]\nfiles = ["src"]\n' })).toEqual(['types mypy', 'lint ruff'])
    expect(await found({ 'setup.cfg': '[flake8]\n[mypy]\n' })).toEqual(['types mypy', 'lint flake8'])
    expect(await found({ 'setup.py': '', 'pyrightconfig.json': '{}' })).toEqual(['types pyright'])
    expect(await found({ 'pyproject.toml': 'broken = [' })).toEqual([])
  })

  it('measures coverage around the same call', async () => {
    const coverage = of(await detect(pyproject('[tool.pytest.ini_options]\n')), 'coverage')
    expect(coverage).toMatchObject({
      tool: 'coverage.py',
      prepare: [
        { argv: ['python3', '-m', 'coverage', 'run', '-p', '--source=.', '-m', 'pytest'], mayFail: true },
        { argv: ['python3', '-m', 'coverage', 'combine'], mayFail: true },
      ],
      env: { COVERAGE_FILE: '{report}/.coverage' },
    })
  })
})
