import { describe, expect, it } from 'vitest'
import { readerInput } from '../../../test/support/reader-input.ts'
import type { Reading } from '../reports/reading.ts'
import { readJest, readMocha, readUnittest } from './json-cases.ts'

const outline = (reading: Reading) =>
  (reading.cases ?? []).map((it) => `${it.name} | ${it.file}:${it.line} | ${it.status}${it.failure === null ? '' : ` ${it.failure}`}`)

describe('jest', () => {
  const report = JSON.stringify({
    numTotalTests: 5,
    testResults: [
      {
        name: '/root/project/src/a.test.js',
        status: 'failed',
        message: 'summary',
        assertionResults: [
          { ancestorTitles: ['math', 'deep'], title: 'adds', status: 'passed', failureMessages: [], location: { line: 3, column: 1 } },
          {
            ancestorTitles: [],
            title: 'wrong',
            status: 'failed',
            failureMessages: [
              'Error: \u001b[2mexpect(\u001b[22mreceived).toBe(4)\n    at Object.<anonymous> (/root/project/src/a.test.js:9:20)',
            ],
            location: { line: 8 },
          },
          {
            ancestorTitles: [],
            title: 'absent',
            status: 'failed',
            failureMessages: ['TypeError: add is not a function\n    at /root/project/src/a.test.js:12:5'],
          },
          { ancestorTitles: [], title: 'asserts', status: 'failed', failureMessages: ['AssertionError [ERR_ASSERTION]: 1 == 2'] },
          { ancestorTitles: [], title: 'later', status: 'pending', failureMessages: [] },
          { ancestorTitles: [], title: 'unwritten', status: 'todo', failureMessages: [] },
        ],
      },
      {
        name: '/root/project/src/b.test.js',
        status: 'failed',
        message: '● Test suite failed to run\n\nCannot find module ./x from src/b.test.js:1',
        assertionResults: [],
      },
    ],
  })

  it('names each test, with the line of its failure', () => {
    expect(outline(readJest(readerInput({ report })))).toEqual([
      'src/a.test.js > math > deep > adds | src/a.test.js:3 | passed',
      'src/a.test.js > wrong | src/a.test.js:9 | failed assertion',
      'src/a.test.js > absent | src/a.test.js:12 | failed error',
      'src/a.test.js > asserts | src/a.test.js:null | failed assertion',
      'src/a.test.js > later | src/a.test.js:null | skipped',
      'src/a.test.js > unwritten | src/a.test.js:null | skipped',
      'src/b.test.js | src/b.test.js:1 | failed error',
    ])
  })

  it('says what is wrong with a report', () => {
    expect(readJest(readerInput({ report: report.slice(0, 300) })).problem).toMatch(/The report of jest/)
    expect(readJest(readerInput({ report: '{}' })).problem).toBe('The report of jest has no "testResults".')
    expect(readJest(readerInput({ report: '[null]' })).problem).toBe('The report of jest has no "testResults".')
    expect(readJest(readerInput({ report: '{"testResults":[null,3,{"assertionResults":[null]}]}' })).problem).toBeNull()
    expect(readJest(readerInput({ reportPath: '{report}/jest.json', stdout: '{"not": "the report"}' })).cases).toBeNull()
  })
})

const error = (more: object) => ({ message: 'm', stack: 'AssertionError: m\n at Context.<anonymous> (test/a.js:4:1)', ...more })

describe('mocha', () => {
  const wrong = { title: 'wrong', fullTitle: 'math wrong', file: '/root/project/test/a.js', err: error({ code: 'ERR_ASSERTION' }) }
  const hook = {
    title: '"before each" hook for "x"',
    fullTitle: 'math "before each" hook for "x"',
    file: '/root/project/test/a.js',
    err: error({ stack: 'Error: set-up' }),
  }
  const value = {
    stats: {},
    tests: [
      { title: 'adds', fullTitle: 'math adds', file: '/root/project/test/a.js', err: {} },
      wrong,
      { title: 'absent', fullTitle: 'math absent', file: '/root/project/test/a.js', err: { message: 'x', stack: 'ReferenceError: x' } },
      { title: 'later', fullTitle: 'math later', file: '/root/project/test/a.js', err: {} },
    ],
    pending: [{ fullTitle: 'math later' }],
    failures: [wrong, hook],
  }

  it('names each test, and hooks that failed', () => {
    expect(outline(readMocha(readerInput({ report: JSON.stringify(value) })))).toEqual([
      'test/a.js > math adds | test/a.js:null | passed',
      'test/a.js > math wrong | test/a.js:4 | failed assertion',
      'test/a.js > math absent | test/a.js:null | failed error',
      'test/a.js > math later | test/a.js:null | skipped',
      'test/a.js > math "before each" hook for "x" | test/a.js:null | failed error',
    ])
  })

  it('is read from standard output when an old mocha knows no file', () => {
    const stdout = `console says hello\n${JSON.stringify(value, null, 2)}\n`
    expect(readMocha(readerInput({ reportPath: '{report}/mocha.json', stdout })).cases).toHaveLength(5)
  })
})

describe('unittest', () => {
  it('is broken when its report stops in the middle', () => {
    const line = JSON.stringify({
      id: 'test_a.A.test_b',
      file: '/root/project/test_a.py',
      line: 3,
      status: 'passed',
      failure: null,
      message: '',
    })
    expect(readUnittest(readerInput({ report: `${line}\n{"id": "test_a.A.te` }))).toMatchObject({
      cases: [{ name: 'test_a > A > test_b', status: 'passed' }],
      problem: 'The tests did not end: the report stops in the middle.',
    })
  })
})
