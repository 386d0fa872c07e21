import { describe, expect, it } from 'vitest'
import { readerInput } from '../../../test/support/reader-input.ts'
import type { DetectedCommand } from '../../scanner/port.ts'
import { NOTHING, type Reading } from '../reports/reading.ts'
import { readCargoMessages, readCargoTest } from './cargo.ts'
import { readCtest } from './ctest.ts'
import { readExunit } from './exunit.ts'
import { readUnknown } from './formats.ts'
import { readGoTest } from './go-test.ts'
import { readerFor, withoutTests } from './readers.ts'
import { readMinitest, readRspec } from './ruby.ts'

const outline = (reading: Reading) =>
  (reading.cases ?? []).map((it) => `${it.name} | ${it.file}:${it.line} | ${it.status}${it.failure === null ? '' : ` ${it.failure}`}`)

const plain = (tool: string): DetectedCommand => ({
  gate: 'tests',
  tool,
  argv: [tool],
  command: tool,
  cwd: '.',
  reason: '',
  needs: null,
  report: null,
})
const ctest = (...tests: string[]) => `<?xml version="1.0"?><testsuite name="(empty)" tests="1">${tests.join('')}</testsuite>`
const gtest = (...tests: string[]) => ({
  path: '/reports/gtest/unit.xml',
  text: `<testsuites><testsuite name="Math">${tests.join('')}</testsuite></testsuites>`,
})
const ran = (name: string, more = '') =>
  `<testcase name="${name}" file="/root/project/unit.cpp" line="2" status="run" result="completed" classname="Math">${more}</testcase>`

describe('CTest', () => {
  it('ties a whole program to its googletest cases, and a crash to the one that was running', () => {
    const output = '[ RUN      ] Math.Adds\n[       OK ] Math.Adds (0 ms)\n[ RUN      ] Math.Crash\n'
    const report = ctest(
      `<testcase name="all" classname="all" status="fail"><failure message="SEGFAULT"/><system-out>${output}</system-out></testcase>`,
    )
    expect(outline(readCtest(readerInput({ report, extra: [gtest(ran('Adds'))] })))).toEqual([
      'Math > Adds | unit.cpp:2 | passed',
      'Math > Crash | null:null | failed error',
    ])
  })

  it('keeps the program as a case of its own when it failed although all its tests passed', () => {
    const report = ctest(
      '<testcase name="all" status="fail"><failure message=""/><system-out>[ RUN      ] Math.Adds\n[       OK ] Math.Adds (0 ms)\nleak found</system-out></testcase>',
    )
    expect(outline(readCtest(readerInput({ report, extra: [gtest(ran('Adds'))] })))).toEqual([
      'Math > Adds | unit.cpp:2 | passed',
      'all | null:null | failed assertion',
    ])
  })

  it('leaves listings of googletest out', () => {
    const listing = {
      path: '/reports/gtest/list.xml',
      text: '<testsuites><testsuite name="Math"><testcase name="Adds" file="unit.cpp" line="2"/></testsuite></testsuites>',
    }
    const report = ctest('<testcase name="plain" status="run"><system-out>fine</system-out></testcase>')
    expect(outline(readCtest(readerInput({ report, extra: [listing] })))).toEqual(['plain | null:null | passed'])
  })

  it('tells a program that said no from one that could not be run', () => {
    const report = ctest(
      '<testcase name="no" status="fail"><failure message=""/><system-out>expected 3</system-out></testcase>',
      '<testcase name="asserts" status="fail"><failure message="Subprocess aborted"/><system-out>a.c:2: main: Assertion `1 == 2\' failed.</system-out></testcase>',
      '<testcase name="slow" status="fail"><failure message="Timeout"/><system-out></system-out></testcase>',
      '<testcase name="absent" status="notrun"><skipped message="Unable to find executable"/></testcase>',
      '<testcase name="off" status="disabled"/>',
      '<testcase name="later" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>',
    )
    expect(outline(readCtest(readerInput({ report })))).toEqual([
      'no | null:null | failed assertion',
      'asserts | null:null | failed assertion',
      'slow | null:null | failed error',
      'absent | null:null | failed error',
      'off | null:null | skipped',
      'later | null:null | skipped',
    ])
  })

  it('reads nothing into a report that is cut', () => {
    expect(readCtest(readerInput({ report: '<testsuite><testcase name="a" status="run"/><tes' })).problem).toMatch(
      /^The report of CTest is broken: /,
    )
  })
})

const event = (Action: string, Test?: string, Output?: string) =>
  JSON.stringify({
    Action,
    Package: 'example.com/x',
    ...(Test === undefined ? {} : { Test }),
    ...(Output === undefined ? {} : { Output }),
  })

describe('go test', () => {
  it('calls a test that never ended an error, and keeps a broken package', () => {
    const stdout = [
      event('run', 'TestA'),
      event('output', 'TestA', 'panic: boom\n'),
      '{"Action":"ou',
      'FAIL',
      event('fail'),
      JSON.stringify({ Action: 'fail', Package: 'example.com/x/y' }),
    ].join('\n')
    expect(outline(readGoTest(readerInput({ stdout })))).toEqual([
      'example.com/x > TestA | null:null | failed error',
      'example.com/x/y | null:null | failed error',
    ])
  })

  it('reads the compiler out of the events of newer versions', () => {
    const stdout = [
      JSON.stringify({
        ImportPath: 'example.com/x [example.com/x.test]',
        Action: 'build-output',
        Output: './a_test.go:5:28: undefined: nope\n',
      }),
      JSON.stringify({ ImportPath: 'example.com/x [example.com/x.test]', Action: 'build-fail' }),
      event('output', undefined, 'FAIL\texample.com/x [build failed]\n'),
      event('fail'),
    ].join('\n')
    expect(outline(readGoTest(readerInput({ stdout })))).toEqual(['a_test.go | a_test.go:5 | failed error'])
  })

  it('has no case where packages have no tests', () => {
    const stdout = [event('output', undefined, '?   \texample.com/x\t[no test files]\n'), event('skip')].join('\n')
    expect(readGoTest(readerInput({ stdout, exitCode: 0 })).cases).toEqual([])
  })
})

const message = (more: object) =>
  JSON.stringify({
    reason: 'compiler-message',
    message: {
      level: 'error',
      message: 'bad',
      code: { code: 'E1' },
      spans: [{ is_primary: true, file_name: 'src/a.rs', line_start: 3 }],
      ...more,
    },
  })

describe('cargo', () => {
  it('notices that a test program died', () => {
    const stdout = '\nrunning 3 tests\ntest a ... ok\n'
    const stderr = '     Running unittests src/lib.rs (target/debug/deps/demo-8348ca7a80742723)\nerror: test failed (signal: 6, SIGABRT)\n'
    expect(outline(readCargoTest(readerInput({ stdout, stderr, exitCode: 101 })))).toEqual([
      'demo > a | src/lib.rs:null | passed',
      'demo > (test program) | src/lib.rs:null | failed error',
    ])
  })

  it('reads messages of the compiler once, without the summary', () => {
    const stdout = [
      message({}),
      message({}),
      message({ level: 'warning', code: { code: 'unused' } }),
      message({ spans: [], message: 'aborting' }),
      '{"reason":"build-finished"}',
      'noise',
    ].join('\n')
    const { findings } = readCargoMessages(readerInput({ stdout }))
    expect(findings.map((it) => `${it.file}:${it.line} ${it.severity} ${it.rule}`)).toEqual([
      'src/a.rs:3 error E1',
      'src/a.rs:3 warning unused',
    ])
  })
})

describe('Ruby and Elixir', () => {
  it('read a report that is cut or strange', () => {
    expect(readRspec(readerInput({ report: '{"examples": [' })).problem).toMatch(/rspec/)
    expect(readRspec(readerInput({ report: '{}' })).problem).toBe('The report of rspec has no "examples".')
    expect(readExunit(readerInput({ report: '{"name":"test a","module":"A","status":"passed"}\n{"na' })).problem).toBe(
      'The tests did not end: the report stops in the middle.',
    )
  })

  it('know nothing of single tests when minitest was not told to name them', () => {
    expect(readMinitest(readerInput({ stdout: '.F.\n\n3 runs, 3 assertions, 1 failures, 0 errors, 0 skips\n' })).cases).toBeNull()
    expect(readMinitest(readerInput({ stdout: '0 runs, 0 assertions, 0 failures, 0 errors, 0 skips\n' })).cases).toEqual([])
  })
})

describe('Java', () => {
  const maven = readerFor(plain('maven'))

  it('names the file that does not compile', () => {
    const stdout =
      '[ERROR] COMPILATION ERROR : \n[ERROR] /root/project/src/test/java/demo/CalcTest.java:[2,33] cannot find symbol\n[ERROR] BUILD\n'
    expect(outline(maven(readerInput({ stdout, reportPath: 'x' })))).toEqual([
      'src/test/java/demo/CalcTest.java | src/test/java/demo/CalcTest.java:2 | failed error',
    ])
  })

  it('has no tests when all went well and nothing was reported', () => {
    expect(maven(readerInput({ exitCode: 0, reportPath: 'x' })).cases).toEqual([])
    expect(maven(readerInput({ exitCode: 1, stdout: '[ERROR] Could not resolve dependencies', reportPath: 'x' })).cases).toBeNull()
  })

  it('reads the coverage of JaCoCo below the module that wrote it', () => {
    const text =
      '<report><package name="demo"><sourcefile name="Calc.java"><line nr="3" ci="1"/></sourcefile><sourcefile name="K.kt"><line nr="1" ci="0"/></sourcefile></package></report>'
    const { coverage } = readerFor(plain('jacoco'))(
      readerInput({ reports: [{ path: '/root/project/core/target/site/jacoco/jacoco.xml', text }] }),
    )
    expect(coverage?.files).toEqual([
      { path: 'core/src/main/java/demo/Calc.java', lines: { 3: 1 } },
      { path: 'core/src/main/kotlin/demo/K.kt', lines: { 1: 0 } },
    ])
  })
})

describe('bun', () => {
  it('names tests by file and titles', () => {
    const report =
      '<testsuites><testsuite name="a.test.ts" file="a.test.ts"><testcase name="x" classname="math" file="a.test.ts" line="3"><failure type="AssertionError"/></testcase></testsuite></testsuites>'
    expect(outline(readerFor(plain('bun-test'))(readerInput({ report })))).toEqual([
      'a.test.ts > math > x | a.test.ts:3 | failed assertion',
    ])
  })
})

describe('a runner that finds nothing', () => {
  it('has no tests, instead of nothing known', () => {
    const jest = plain('jest')
    expect(withoutTests(jest, { stdout: '', stderr: 'No tests found, exiting with code 1\n' }, NOTHING).cases).toEqual([])
    expect(withoutTests(jest, { stdout: '', stderr: 'Error: No test files found: "x"\n' }, NOTHING).cases).toEqual([])
    expect(withoutTests(jest, { stdout: '', stderr: 'SyntaxError' }, NOTHING).cases).toBeNull()
    expect(withoutTests(plain('configured'), { stdout: 'No tests found', stderr: '' }, NOTHING).cases).toBeNull()
  })
})

describe('a command nobody knows', () => {
  it('speaks through reports that it was led to write', () => {
    const pytest = {
      path: '/reports/pytest.xml',
      text: '<testsuites><testsuite><testcase classname="test_a" name="test_x" file="test_a.py" line="0"/></testsuite></testsuites>',
    }
    expect(outline(readUnknown(readerInput({ extra: [pytest, gtest(ran('Adds'))] })))).toEqual([
      'test_a.py > test_x | test_a.py:1 | passed',
      'Math > Adds | unit.cpp:2 | passed',
    ])
  })

  it('says nothing by words alone', () => {
    expect(readUnknown(readerInput({ stdout: '100 tests passed, 3 FAILED, ok', exitCode: 0 }))).toEqual({
      cases: null,
      findings: [],
      coverage: null,
      problem: null,
      missing: null,
    })
  })
})
