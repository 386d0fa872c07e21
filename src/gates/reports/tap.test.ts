import { describe, expect, it } from 'vitest'
import { looksLikeTap, readTap } from './tap.ts'

const outline = (text: string) =>
  readTap(text).cases.map((it) => [it.name, it.status, it.failure].filter((part) => part !== null).join(' | '))

describe('TAP', () => {
  it('gives each result, with its directives', () => {
    expect(
      outline(
        'TAP version 13\nok 1 - adds\nnot ok 2 - wrong\nok 3 - later # SKIP not now\nnot ok 4 - unwritten # TODO soon\nok 5\nok no number\n1..6\n',
      ),
    ).toEqual([
      'adds | passed',
      'wrong | failed | assertion',
      'later | skipped',
      'unwritten | skipped',
      'test 5 | passed',
      'no number | passed',
    ])
  })

  it('tells an expectation from a break by the diagnosis', () => {
    const text = `TAP version 13
not ok 1 - wrong
  ---
    name: AssertionError
    message: |-
      expected 1
  ...
not ok 2 - broken
  ---
  name: TypeError
  at: a.js:3
  ...
1..2`
    const { cases } = readTap(text)
    expect(cases.map((it) => it.failure)).toEqual(['assertion', 'error'])
    expect(cases[0]?.message).toContain('expected 1')
  })

  it('joins the titles of subtests, whose summary is no case of its own', () => {
    const text = `TAP version 14
# Subtest: outer
    # Subtest: middle
        ok 1 - inner
        not ok 2 - other
        1..2
    not ok 1 - middle
    ok 2 - plain
    1..2
not ok 1 - outer
1..1`
    expect(outline(text)).toEqual([
      'outer > middle > inner | passed',
      'outer > middle > other | failed | assertion',
      'outer > plain | passed',
    ])
    expect(readTap(text).problem).toBeNull()
  })

  it('keeps a parent that failed although its parts passed', () => {
    expect(outline('    ok 1 - part\n    1..1\nnot ok 1 - parent\n1..1')).toEqual(['parent > part | passed', 'parent | failed | assertion'])
  })

  it('passes over what is not TAP', () => {
    expect(outline('> test\n> ava --tap\n\nTAP version 13\nconsole says ok then\nok 1 - a\n# note\n\n1..1\nnpm notice\n')).toEqual([
      'a | passed',
    ])
  })

  it('is broken when it stops, or the numbers do not agree', () => {
    expect(readTap('ok 1 - a\nBail out! no database\nok 2 - b\n1..2').problem).toBe('the run bailed out: no database')
    expect(readTap('ok 1 - a\n').problem).toBe('its plan ("1..N") is missing: the run was cut short')
    expect(readTap('1..3\nok 1 - a\n').problem).toBe('its plan names 3 results, but it has 1')
    expect(readTap('1..0 # SKIP nothing here\n')).toEqual({ cases: [], problem: null })
  })

  it('is known by its version or its plan', () => {
    expect(looksLikeTap('$ tape\nTAP version 13\n')).toBe(true)
    expect(looksLikeTap('1..2\nok 1 - a\nok 2\n')).toBe(true)
    expect(looksLikeTap('all ok\n')).toBe(false)
    expect(looksLikeTap('ok 1 thing\n')).toBe(false)
  })
})
