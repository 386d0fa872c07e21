import { describe, expect, it } from 'vitest'
import { readerInput } from '../../../test/support/reader-input.ts'
import type { Reading } from '../reports/reading.ts'
import { ANY_JUNIT, JAVA_JUNIT, type JunitDialect, junitReader, NODE_JUNIT, PYTEST_JUNIT, VITEST_JUNIT } from './junit-cases.ts'

const read = (dialect: JunitDialect, report: string, cwd = '.'): Reading => junitReader(dialect)(readerInput({ report, cwd }))
const outline = (reading: Reading) =>
  (reading.cases ?? []).map((it) => `${it.name} | ${it.file}:${it.line} | ${it.status}${it.failure === null ? '' : ` ${it.failure}`}`)

const cases = (...inner: string[]) => `<testsuites><testsuite name="pytest">${inner.join('')}</testsuite></testsuites>`
const one = (failure: string) =>
  read(PYTEST_JUNIT, cases(`<testcase classname="tests.test_a" name="test_x" file="tests/test_a.py" line="3">${failure}</testcase>`))
    .cases?.[0]

describe('JUnit of vitest', () => {
  it('knows assertions by their type, of expect and of assert', () => {
    const reading = read(
      VITEST_JUNIT,
      `<testsuites><testsuite name="a/x.test.ts">
        <testcase classname="a/x.test.ts" name="math &gt; fails"><failure message="expected 1" type="AssertionError">AssertionError: expected 1\n ❯ a/x.test.ts:4:37</failure></testcase>
        <testcase classname="a/x.test.ts" name="errs"><failure message="x is not a function" type="TypeError">TypeError: x\n ❯ /root/project/src/x.ts:9:1\n ❯ a/x.test.ts:5:42</failure></testcase>
        <testcase classname="a/x.test.ts" name="slow"><failure message="Test timed out in 50ms." type="Error">Error: Test timed out in 50ms.</failure></testcase>
        <testcase classname="a/x.test.ts" name="snapshot"><failure message="Snapshot \`a 1\` mismatched" type="Error">Error: Snapshot \`a 1\` mismatched</failure></testcase>
        <testcase classname="a/x.test.ts" name="later"><skipped/></testcase></testsuite>
        <testsuite name="a/y.test.ts"><testcase classname="a/y.test.ts" name="a/y.test.ts"><failure message="Cannot find module './nope.js' imported from /root/project/a/y.test.ts" type="Error">Error: Cannot find module './nope.js'\n ❯ a/y.test.ts:1:1</failure></testcase></testsuite></testsuites>`,
      'packages/p',
    )
    expect(outline(reading)).toEqual([
      'packages/p/a/x.test.ts > math > fails | packages/p/a/x.test.ts:4 | failed assertion',
      'packages/p/a/x.test.ts > errs | packages/p/a/x.test.ts:5 | failed error',
      'packages/p/a/x.test.ts > slow | packages/p/a/x.test.ts:null | failed error',
      'packages/p/a/x.test.ts > snapshot | packages/p/a/x.test.ts:null | failed assertion',
      'packages/p/a/x.test.ts > later | packages/p/a/x.test.ts:null | skipped',
      'packages/p/a/y.test.ts | packages/p/a/y.test.ts:1 | failed error',
    ])
    expect(JSON.stringify(reading)).not.toContain('/root/project')
  })

  it('says a message once when a test is retried', () => {
    const failure = '<failure message="expected 1" type="AssertionError">AssertionError: expected 1</failure>'
    const reading = read(VITEST_JUNIT, `<testsuite><testcase classname="a.ts" name="x">${failure.repeat(3)}</testcase></testsuite>`)
    expect(reading.cases?.[0]?.message).toBe('AssertionError: expected 1')
  })
})

describe('JUnit of node:test', () => {
  it('joins nested suites, and takes only a broken file for a case', () => {
    const reading = read(
      NODE_JUNIT,
      `<testsuites><testsuite name="math"><testsuite name="deep"><testcase name="inner" classname="math.deep" file="/root/project/t/a.mjs"><failure type="testCodeFailure" message="m">Error [ERR_TEST_FAILURE]\n  cause: AssertionError [ERR_ASSERTION]: m\n at file:///root/project/t/a.mjs:10:65\n code: 'ERR_ASSERTION'</failure></testcase></testsuite></testsuite>
      <testcase name="top" classname="test" file="/root/project/t/a.mjs"><failure type="testCodeFailure" message="nope is not defined">cause: ReferenceError: nope is not defined</failure></testcase>
      <testcase name="t/empty.mjs" classname="test" file="/root/project/t/empty.mjs"/>
      <testcase name="/root/project/t/b.mjs" classname="test" file="/root/project/t/b.mjs"><failure type="testCodeFailure" message="test failed">test failed</failure></testcase></testsuites>`,
    )
    expect(outline(reading)).toEqual([
      't/a.mjs > math > deep > inner | t/a.mjs:10 | failed assertion',
      't/a.mjs > top | t/a.mjs:null | failed error',
      't/b.mjs | t/b.mjs:null | failed error',
    ])
  })
})

describe('JUnit of pytest', () => {
  it('names cases by file, class and parameters; lines count from 1', () => {
    const reading = read(
      PYTEST_JUNIT,
      cases(
        '<testcase classname="tests.test_a.TestC.TestD" name="test_p[a.b-1]" file="tests/test_a.py" line="3"/>',
        '<testcase classname="tests.test_a" name="test_q" file="tests/test_a.py" line="9"/>',
        '<testcase classname="" name="tests.test_b" file="tests/test_b.py"><error message="collection failure">tests/test_b.py:1: in &lt;module&gt;\nE ModuleNotFoundError</error></testcase>',
      ),
    )
    expect(outline(reading)).toEqual([
      'tests/test_a.py > TestC > TestD > test_p[a.b-1] | tests/test_a.py:4 | passed',
      'tests/test_a.py > test_q | tests/test_a.py:10 | passed',
      'tests/test_b.py | tests/test_b.py:1 | failed error',
    ])
  })

  it.each([
    ['<failure message="AssertionError: assert 1 == 2">x</failure>', 'assertion'],
    ['<failure message="assert 1 == 2">x</failure>', 'assertion'],
    ['<failure message="Failed: DID NOT RAISE &lt;class ValueError&gt;">x</failure>', 'assertion'],
    ['<failure message="NameError: name nope">x</failure>', 'error'],
    ['<failure message="AttributeError: assert">x</failure>', 'error'],
    ['<error message="failed on setup with &quot;AssertionError&quot;">x</error>', 'error'],
  ])('%s is %s', (failure, expected) => {
    expect(one(failure)?.failure).toBe(expected)
  })

  it('counts an expected failure as skipped', () => {
    expect(one('<skipped type="pytest.xfail" message="known"/>')).toMatchObject({ status: 'skipped', message: 'known', failure: null })
  })
})

describe('JUnit of Java', () => {
  it('finds the source of the class below the module of the report', () => {
    const input = readerInput({
      reports: [
        {
          path: '/root/project/core/target/surefire-reports/TEST-demo.CalcTest.xml',
          text: `<testsuite name="demo.CalcTest"><properties><property name="a" value="b"/></properties>
            <testcase name="breaks" classname="demo.CalcTest"><error message="boom" type="java.lang.IllegalStateException"><![CDATA[at demo.CalcTest.breaks(CalcTest.java:7)]]></error></testcase>
            <testcase name="wrong" classname="demo.CalcTest$Nested"><failure message="&lt;4&gt;" type="org.opentest4j.AssertionFailedError"><![CDATA[at demo.CalcTest.wrong(CalcTest.java:6)]]></failure></testcase>
            <testcase name="flaky" classname="demo.CalcTest"><flakyFailure message="once" type="x"/></testcase>
            <testcase name="later" classname="demo.CalcTest"><skipped message="later"/></testcase></testsuite>`,
        },
      ],
    })
    expect(outline(junitReader(JAVA_JUNIT)(input))).toEqual([
      'demo.CalcTest > breaks | core/src/test/java/demo/CalcTest.java:7 | failed error',
      'demo.CalcTest$Nested > wrong | core/src/test/java/demo/CalcTest.java:6 | failed assertion',
      'demo.CalcTest > flaky | core/src/test/java/demo/CalcTest.java:null | passed',
      'demo.CalcTest > later | core/src/test/java/demo/CalcTest.java:null | skipped',
    ])
  })
})

describe('any JUnit report', () => {
  it('gives equal names a number, so that each can be followed', () => {
    const reading = read(
      ANY_JUNIT,
      '<testsuite name="s"><testcase classname="C" name="a"/><testcase classname="C" name="a"/><testcase name="b"/></testsuite>',
    )
    expect(reading.cases?.map((it) => it.name)).toEqual(['C > a', 'C > a (2)', 's > b'])
  })

  it('says which report is broken and keeps what was whole', () => {
    const reading = read(ANY_JUNIT, '<testsuite name="s"><testcase name="a"/><testcase na')
    expect(reading.problem).toMatch(/^The JUnit report report is broken: /)
    expect(reading.cases?.map((it) => it.name)).toEqual(['s > a'])
  })

  it('knows nothing without a report', () => {
    expect(junitReader(ANY_JUNIT)(readerInput({})).cases).toBeNull()
  })
})
