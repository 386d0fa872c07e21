import { describe, expect, it } from 'vitest'
import { readJunit } from './junit.ts'

const WHOLE = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="outer" file="a.js">
    <properties><property name="x" value="y"/></properties>
    <testsuite name="inner">
      <testcase name="adds &amp; &lt;more&gt;" classname="C" time="0.1"/>
      <testcase name="fails" classname="C" line="7"><failure message="no &#10;good" type="AssertionError"><![CDATA[at <a.js:7>]]></failure><failure message="again"/></testcase>
      <testcase name="later"><skipped message="why"/></testcase>
      <testcase name="todo"><skipped type="todo"/><failure message="not yet"/></testcase>
      <testcase name="flaky"><flakyFailure message="once"/><system-out>said</system-out></testcase>
      <testcase name="rerun"><failure message="first"/><rerunFailure message="second"/></testcase>
      <testcase name="breaks"><error>boom</error></testcase>
    </testsuite>
    <testcase name="beside"/>
  </testsuite>
</testsuites>`

describe('a JUnit report', () => {
  it('gives each case with the suites around it', () => {
    const { cases, problem } = readJunit(WHOLE)
    expect(problem).toBeNull()
    expect(cases.map((it) => `${it.suites.join('/')} ${it.name}: ${it.status}`)).toEqual([
      'outer/inner adds & <more>: passed',
      'outer/inner fails: failed',
      'outer/inner later: skipped',
      'outer/inner todo: skipped',
      'outer/inner flaky: passed',
      'outer/inner rerun: failed',
      'outer/inner breaks: failed',
      'outer beside: passed',
    ])
    expect(cases[1]).toMatchObject({ file: 'a.js', line: 7, className: 'C' })
    expect(cases[1]?.failures).toEqual([
      { kind: 'failure', type: 'AssertionError', message: 'no \ngood', text: 'at <a.js:7>' },
      { kind: 'failure', type: '', message: 'again', text: '' },
    ])
    expect(cases[4]?.output).toBe('said')
  })

  it('reads a suite without a list of suites, and the suite that broke by itself', () => {
    const { cases, problem } = readJunit('<testsuite name="s"><testcase name="a"/><error message="set-up failed">trace</error></testsuite>')
    expect(problem).toBeNull()
    expect(cases.map((it) => `${it.name}: ${it.status}`)).toEqual(['a: passed', 's: failed'])
  })

  it('gives what was complete of a report that was cut, and says so', () => {
    const { cases, problem } = readJunit(WHOLE.slice(0, WHOLE.indexOf('<testcase name="later"')))
    expect(cases.map((it) => it.name)).toEqual(['adds & <more>', 'fails'])
    expect(problem).toMatch(/unclosed tag/)
  })

  it('never throws, wherever it is cut', () => {
    for (let at = 0; at < WHOLE.length; at += 3) {
      const { problem } = readJunit(WHOLE.slice(0, at))
      expect(problem, `cut at ${at}`).not.toBeNull()
    }
  })

  it('survives characters that XML forbids', () => {
    const source = `<testsuite><testcase name="a"><failure message="\u001b[31mred\u0000&#27;[0m">\ud800 bell \u0007 &#x1B;</failure></testcase></testsuite>`
    const { cases, problem } = readJunit(source)
    expect(problem).toBeNull()
    expect(cases[0]?.failures[0]?.message).toBe('\ufffd[31mred\ufffd\ufffd[0m')
  })

  it('keeps letters of all scripts', () => {
    expect(readJunit('<testsuite><testcase name="größe 数 😀 &#x1F600;"/></testsuite>').cases[0]?.name).toBe('größe 数 😀 😀')
  })

  it('loads no entities of the document', () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><testsuite><testcase name="&b;"/></testsuite>`
    expect(readJunit(bomb).problem).toMatch(/undefined entity/)
  })

  it('stops at elements that nest without end', () => {
    expect(readJunit('<testsuite>'.repeat(5000)).problem).toBe('elements nest deeper than 200')
  })

  it('keeps the beginning of a huge text', () => {
    const { cases } = readJunit(`<testsuite><testcase name="a"><failure>${'x'.repeat(10_000_000)}</failure></testcase></testsuite>`)
    expect(cases[0]?.failures[0]?.text).toHaveLength(64 * 1024)
  })

  it('is something else when its root is', () => {
    expect(readJunit('<coverage/>').problem).toBe('its root is <coverage>, not <testsuites>')
    expect(readJunit('<testsuites/>')).toEqual({ cases: [], problem: null })
    expect(readJunit('').problem).not.toBeNull()
    expect(readJunit('not xml').problem).not.toBeNull()
  })
})
