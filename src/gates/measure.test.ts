import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { filesOf, installPackages, makeCheckout, outline, measureGate as run } from '../../test/support/checkout.ts'
import { itNeeds } from '../../test/support/needs.ts'
import { git } from '../../test/support/repository.ts'

describe('vitest', () => {
  const files = {
    'package.json':
      '{"type":"module","scripts":{"test":"vitest run --config vitest.config.js"},"devDependencies":{"vitest":"*","@vitest/coverage-v8":"*"}}',
    'vitest.config.js': 'export default { test: { include: ["checks/**/*.spec.js"] } }',
    'src/add.js': 'export const add = (a, b) => a + b\nexport const unused = () => {\n  return 1\n}\n',
    'checks/add.spec.js':
      "import { expect, it, describe } from 'vitest'\nimport { add, mul } from '../src/add.js'\ndescribe('add', () => {\n  it('adds', () => { expect(add(1, 2)).toBe(3) })\n  it('is wrong', () => { expect(add(1, 2)).toBe(4) })\n  it('is absent', () => { mul(1, 2) })\n  it.todo('later')\n})\n",
    'checks/good.spec.js': "import { expect, it } from 'vitest'\nit('holds', () => { expect(1).toBe(1) })\n",
    'src/not-a-test.test.js': 'throw new Error("the configuration does not include this file")',
  }

  itNeeds('node')('names each test with its class, by the configuration of the project', async () => {
    const checkout = makeCheckout(files)
    installPackages(checkout)
    const measured = await run(checkout, 'tests')
    expect(outline(measured)).toEqual([
      'checks/add.spec.js > add > adds | passed',
      'checks/add.spec.js > add > is absent | failed | error',
      'checks/add.spec.js > add > is wrong | failed | assertion',
      'checks/add.spec.js > add > later | skipped',
      'checks/good.spec.js > holds | passed',
    ])
    expect(measured).toMatchObject({ status: 'failed', exitCode: 1, environmental: false, tool: 'vitest', command: 'npm test' })
    expect(measured.cases?.find((it) => it.failure === 'assertion')).toMatchObject({ file: 'checks/add.spec.js', line: 5 })
    expect(JSON.stringify(measured)).not.toContain(checkout.path)
    expect(measured.findings.map((it) => `${it.file}:${it.line} ${it.rule}`)).toContain(
      'checks/add.spec.js:5 checks/add.spec.js > add > is wrong',
    )
  })

  itNeeds('node')('runs only the tests that are asked for', async () => {
    const checkout = makeCheckout(files)
    installPackages(checkout)
    const measured = await run(checkout, 'tests', { onlyTests: ['checks/good.spec.js'] })
    expect(outline(measured)).toEqual(['checks/good.spec.js > holds | passed'])
    expect(measured.status).toBe('passed')
  })

  itNeeds('node')('measures the lines that tests reach, and leaves no file behind', async () => {
    const { 'checks/add.spec.js': _, ...green } = files
    const checkout = makeCheckout({
      ...green,
      'checks/add.spec.js':
        "import { expect, it } from 'vitest'\nimport { add } from '../src/add.js'\nit('adds', () => { expect(add(1, 2)).toBe(3) })\n",
    })
    installPackages(checkout)
    const before = filesOf(checkout)
    const measured = await run(checkout, 'coverage')
    expect(measured.status).toBe('passed')
    expect(measured.coverage?.files.find((it) => it.path === 'src/add.js')?.lines).toMatchObject({ 1: 1, 3: 0 })
    expect(filesOf(checkout)).toEqual(before)
  })

  itNeeds('node')('fails when no test is collected', async () => {
    const checkout = makeCheckout({
      'package.json': files['package.json'],
      'vitest.config.js': 'export default { test: { passWithNoTests: true } }',
    })
    installPackages(checkout)
    const measured = await run(checkout, 'tests')
    expect(measured).toMatchObject({ status: 'failed', cases: [] })
    expect(measured.findings[0]?.rule).toBe('reeve/no-tests')
  })

  itNeeds('node')('is not run without node_modules, and says how to get them', async () => {
    const measured = await run(makeCheckout(files), 'tests')
    expect(measured).toMatchObject({ status: 'not_run', cases: null })
    expect(measured.problem).toBe('vitest was not found. Run npm ci, or add it to [project] setup in reeve.toml.')
  })
})

describe('node:test', () => {
  const files = {
    'package.json': '{"scripts":{"test":"node --test test/*.mjs"}}',
    'test/add.mjs':
      "import { describe, it } from 'node:test'\nimport assert from 'node:assert'\ndescribe('add', () => {\n  it('adds', () => {})\n  it('is wrong', () => {\n    assert.equal(1, 2)\n  })\n  it('is absent', () => { nothing() })\n  it.skip('later', () => {})\n})\n",
    'test/good.mjs': "import { test } from 'node:test'\ntest('holds', () => {})\n",
    'test/broken.mjs': "import './absent.mjs'\n",
    'test/empty.mjs': '',
    'elsewhere/other.test.mjs': 'throw new Error("the script does not name this file")',
  }

  itNeeds('node')('names each test with its class, and expands the patterns of the script', async () => {
    const measured = await run(makeCheckout(files), 'tests')
    expect(outline(measured)).toEqual([
      'test/add.mjs > add > adds | passed',
      'test/add.mjs > add > is absent | failed | error',
      'test/add.mjs > add > is wrong | failed | assertion',
      'test/add.mjs > add > later | skipped',
      'test/broken.mjs | failed | error',
      'test/good.mjs > holds | passed',
    ])
    expect(measured.cases?.find((it) => it.failure === 'assertion')).toMatchObject({ file: 'test/add.mjs', line: 6 })
    expect(measured.status).toBe('failed')
  })

  itNeeds('node')('runs only the tests that are asked for', async () => {
    const measured = await run(makeCheckout(files), 'tests', { onlyTests: ['test/good.mjs'] })
    expect(outline(measured)).toEqual(['test/good.mjs > holds | passed'])
  })

  itNeeds('node')('does not take a file without tests for a test', async () => {
    const measured = await run(
      makeCheckout({ 'package.json': '{"scripts":{"test":"node --test test/*.mjs"}}', 'test/empty.mjs': '' }),
      'tests',
    )
    expect(measured).toMatchObject({ status: 'failed', cases: [], exitCode: 0 })
  })

  itNeeds('node')('measures the lines that tests reach', async () => {
    const measured = await run(
      makeCheckout({
        'package.json': '{"scripts":{"test":"node --test"}}',
        'src/add.mjs': 'export const add = (a, b) => a + b\nexport function unused() {\n  return 1\n}\n',
        'test/add.test.mjs': "import { test } from 'node:test'\nimport { add } from '../src/add.mjs'\ntest('adds', () => { add(1, 2) })\n",
      }),
      'coverage',
    )
    expect(measured.status).toBe('passed')
    expect(measured.coverage?.files.find((it) => it.path === 'src/add.mjs')?.lines).toMatchObject({ 1: 1, 3: 0 })
  })
})

describe('a script that nobody knows', () => {
  itNeeds('npm')('is judged by its exit code', async () => {
    const red = await run(makeCheckout({ 'package.json': '{"scripts":{"test":"echo looks ok | cat && exit 3"}}' }), 'tests')
    expect(red).toMatchObject({ status: 'failed', cases: null, exitCode: 3, tool: 'npm-script', command: 'npm test' })
    const green = await run(makeCheckout({ 'package.json': '{"scripts":{"test":"echo FAILED | cat"}}' }), 'tests')
    expect(green).toMatchObject({ status: 'passed', cases: null, exitCode: 0 })
  })

  itNeeds('npm')('is read when it speaks TAP, and fails when TAP and exit code disagree', async () => {
    const script = "printf 'TAP version 13\\nok 1 - one\\nnot ok 2 - two\\n1..2\\n' | cat"
    const measured = await run(makeCheckout({ 'package.json': JSON.stringify({ scripts: { test: script } }) }), 'tests')
    expect(outline(measured)).toEqual(['one | passed', 'two | failed | assertion'])
    expect(measured).toMatchObject({ status: 'failed', exitCode: 0, problem: 'Tests failed although the command ended with exit code 0.' })
  })

  itNeeds('npm')('is not run when its program is not installed', async () => {
    const measured = await run(
      makeCheckout({ 'package.json': '{"scripts":{"test":"no-such-runner --all | cat; no-such-runner"}}' }),
      'tests',
    )
    expect(measured.status).toBe('not_run')
    expect(measured.problem).toContain('no-such-runner was not found.')
  })
})

describe('pytest', () => {
  const files = {
    'pytest.ini': '[pytest]\ntestpaths = checks\n',
    'calc.py': 'def add(a, b):\n    return a + b\n\n\ndef unused():\n    return 1\n',
    'checks/test_calc.py':
      'import pytest\nfrom calc import add\n\n\ndef test_adds():\n    assert add(1, 2) == 3\n\n\ndef test_wrong():\n    assert add(1, 2) == 4\n\n\ndef test_absent():\n    nothing()\n\n\n@pytest.mark.skip(reason="later")\ndef test_later():\n    pass\n\n\nclass TestMore:\n    @pytest.mark.parametrize("n", [1, 2])\n    def test_each(self, n):\n        assert n\n',
    'checks/test_broken.py': 'from calc import mul\n\n\ndef test_mul():\n    assert mul(1, 2) == 2\n',
  }

  itNeeds(['python3', '-m', 'pytest', '--version'])(
    'names each test with its class, and goes on after a file that cannot be imported',
    async () => {
      const checkout = makeCheckout(files)
      const measured = await run(checkout, 'tests')
      expect(outline(measured)).toEqual([
        'checks/test_broken.py | failed | error',
        'checks/test_calc.py > TestMore > test_each[1] | passed',
        'checks/test_calc.py > TestMore > test_each[2] | passed',
        'checks/test_calc.py > test_absent | failed | error',
        'checks/test_calc.py > test_adds | passed',
        'checks/test_calc.py > test_later | skipped',
        'checks/test_calc.py > test_wrong | failed | assertion',
      ])
      expect(measured.cases?.find((it) => it.failure === 'assertion')).toMatchObject({ file: 'checks/test_calc.py', line: 10 })
      expect(JSON.stringify(measured)).not.toContain(checkout.path)
      expect(readdirSync(join(checkout.path, 'checks')).filter((it) => it.includes('cache'))).toEqual([])
    },
  )

  itNeeds(['python3', '-m', 'pytest', '--version'])('runs only the tests that are asked for', async () => {
    const more = { ...files, 'checks/test_good.py': 'def test_holds():\n    assert True\n' }
    expect(outline(await run(makeCheckout(more), 'tests', { onlyTests: ['checks/test_good.py'] }))).toEqual([
      'checks/test_good.py > test_holds | passed',
    ])
  })

  itNeeds(['python3', '-m', 'pytest', '--version'])('fails when no test is collected', async () => {
    const measured = await run(makeCheckout({ 'pytest.ini': '[pytest]\n', 'a.py': '' }), 'tests')
    expect(measured).toMatchObject({ status: 'failed', cases: [] })
  })

  itNeeds(['python3', '-m', 'pytest', '--version'], ['python3', '-m', 'coverage', '--version'])(
    'measures the lines that tests reach',
    async () => {
      const checkout = makeCheckout({ ...files, 'checks/test_broken.py': '' })
      const measured = await run(checkout, 'coverage')
      expect(measured.coverage?.files.find((it) => it.path === 'calc.py')?.lines).toMatchObject({ 2: 1, 6: 0 })
      expect(measured).toMatchObject({ status: 'failed', exitCode: 1 })
    },
  )

  itNeeds('python3')('is not run when its module is not there', async () => {
    const checkout = makeCheckout({
      ...files,
      '.venv/bin/python3': '#!/bin/sh\necho "/usr/bin/python3: No module named pytest" >&2\nexit 1\n',
    })
    const { chmodSync } = await import('node:fs')
    chmodSync(join(checkout.path, '.venv/bin/python3'), 0o755)
    const measured = await run(checkout, 'tests')
    expect(measured.status).toBe('not_run')
    expect(measured.problem).toContain('The Python module "pytest" is not installed.')
  })
})

describe('unittest', () => {
  const files = {
    'setup.py': '',
    'calc.py': 'def add(a, b):\n    return a + b\n',
    'tests/test_calc.py':
      'import unittest\nfrom calc import add\n\n\nclass Adds(unittest.TestCase):\n    def test_adds(self):\n        self.assertEqual(add(1, 2), 3)\n\n    def test_wrong(self):\n        self.assertEqual(add(1, 2), 4)\n\n    def test_absent(self):\n        nothing()\n\n    @unittest.skip("later")\n    def test_later(self):\n        pass\n\n    def test_parts(self):\n        for n in (1, 2):\n            with self.subTest(n=n):\n                self.assertEqual(n, 1)\n',
    'tests/test_broken.py': 'import unittest\nfrom calc import mul\n',
  }

  itNeeds('python3')('names each test with its class', async () => {
    const measured = await run(makeCheckout(files), 'tests')
    expect(outline(measured)).toEqual([
      'test_broken | failed | error',
      'test_calc > Adds > test_absent | failed | error',
      'test_calc > Adds > test_adds | passed',
      'test_calc > Adds > test_later | skipped',
      'test_calc > Adds > test_parts (n=2) | failed | assertion',
      'test_calc > Adds > test_wrong | failed | assertion',
    ])
    expect(measured.cases?.find((it) => it.name.endsWith('test_wrong'))).toMatchObject({ file: 'tests/test_calc.py', line: 10 })
    expect(measured.cases?.find((it) => it.name === 'test_broken')?.file).toBe('tests/test_broken.py')
  })

  itNeeds('python3')('runs only the tests that are asked for', async () => {
    const more = {
      ...files,
      'tests/test_good.py': 'import unittest\n\n\nclass Good(unittest.TestCase):\n    def test_holds(self):\n        pass\n',
    }
    expect(outline(await run(makeCheckout(more), 'tests', { onlyTests: ['tests/test_good.py'] }))).toEqual([
      'test_good > Good > test_holds | passed',
    ])
  })
})

describe('coverage of unittest', () => {
  itNeeds('python3', ['python3', '-m', 'coverage', '--version'])('is measured around the same tests', async () => {
    const checkout = makeCheckout({
      'setup.py': '',
      'calc.py': 'def add(a, b):\n    return a + b\n\n\ndef unused():\n    return 1\n',
      'tests/test_calc.py':
        'import unittest\nfrom calc import add\n\n\nclass Adds(unittest.TestCase):\n    def test_adds(self):\n        self.assertEqual(add(1, 2), 3)\n',
    })
    const before = filesOf(checkout)
    const measured = await run(checkout, 'coverage')
    expect(measured).toMatchObject({ status: 'passed', exitCode: 0 })
    expect(measured.coverage?.files.find((it) => it.path === 'calc.py')?.lines).toMatchObject({ 2: 1, 6: 0 })
    expect(filesOf(checkout)).toEqual(before)
  })
})

describe('CMake and CTest', () => {
  const cmake =
    'cmake_minimum_required(VERSION 3.14)\nproject(demo C)\nenable_testing()\nadd_executable(check check.c)\nadd_test(NAME check COMMAND check)\n'

  itNeeds('cmake', 'ctest')('builds outside the tracked tree and reads the result of each test', async () => {
    const checkout = makeCheckout({
      'CMakeLists.txt': `${cmake}add_test(NAME broken COMMAND check 1)\n`,
      'check.c': '#include <assert.h>\nint main(int count, char **args) { assert(count == 1); return 0; }\n',
    })
    git(checkout.path, 'init', '-q')
    const build = await run(checkout, 'build')
    expect(build).toMatchObject({ status: 'passed', exitCode: 0 })
    const measured = await run(checkout, 'tests')
    expect(outline(measured)).toEqual(['broken | failed | assertion', 'check | passed'])
    expect(git(checkout.path, 'status', '--porcelain', '-uall')).toBe('?? CMakeLists.txt\n?? check.c')
  })

  itNeeds('cmake', 'ctest')('names the file and line that do not compile', async () => {
    const checkout = makeCheckout({ 'CMakeLists.txt': cmake, 'check.c': 'int main(void) {\n  return absent;\n}\n' })
    const build = await run(checkout, 'build')
    expect(build.status).toBe('failed')
    expect(build.findings[0]).toMatchObject({ file: 'check.c', line: 2, severity: 'error' })
    expect(outline(await run(checkout, 'tests'))).toEqual(['check.c | failed | error'])
  })

  const google = {
    'CMakeLists.txt':
      'cmake_minimum_required(VERSION 3.14)\nproject(demo CXX)\nenable_testing()\nfind_package(GTest REQUIRED)\ninclude(GoogleTest)\nadd_executable(unit unit.cpp)\ntarget_link_libraries(unit GTest::gtest_main)\ngtest_discover_tests(unit)\nadd_test(NAME whole COMMAND unit)\n',
    'unit.cpp':
      '#include <gtest/gtest.h>\n#include <stdexcept>\nTEST(Math, Adds) { EXPECT_EQ(1 + 1, 2); }\nTEST(Math, Wrong) { EXPECT_EQ(1, 2); }\nTEST(Math, Throws) { throw std::runtime_error("boom"); }\nTEST(Math, Skips) { GTEST_SKIP() << "later"; }\nTEST(Zed, Crashes) { volatile int *p = nullptr; *p = 1; }\n',
  }

  itNeeds('cmake', 'ctest', ['test', '-f', '/usr/include/gtest/gtest.h'])('ties the tests of CTest to their googletest cases', async () => {
    const measured = await run(makeCheckout(google), 'tests')
    expect(outline(measured)).toEqual([
      'Math > Adds | passed',
      'Math > Skips | skipped',
      'Math > Throws | failed | error',
      'Math > Wrong | failed | assertion',
      'Zed > Crashes | failed | error',
    ])
    expect(measured.cases?.find((it) => it.failure === 'assertion')).toMatchObject({ file: 'unit.cpp', line: 4 })
  })
})

describe('make', () => {
  itNeeds('make')('runs the targets that the Makefile has', async () => {
    const checkout = makeCheckout({
      Makefile: 'all:\n\t@echo built\n\ntest: all\n\t@test -f present || { echo "src/a.c:3:1: error: no such thing"; exit 1; }\n',
      'src/a.c': '',
    })
    expect(await run(checkout, 'build')).toMatchObject({ status: 'passed', command: 'make all', reason: 'target "all" in Makefile' })
    const red = await run(checkout, 'tests')
    expect(red).toMatchObject({ status: 'failed', command: 'make test', cases: null, exitCode: 2 })
    expect(red.findings[0]).toMatchObject({ file: 'src/a.c', line: 3, message: 'no such thing' })
  })
})
