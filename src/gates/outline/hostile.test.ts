import { describe, expect, it } from 'vitest'
import { nameFits } from '../proof-cases.ts'
import { outlineTests, wholeFileTest } from './outline.ts'

// The text comes from an agent: whatever it is, reading it must end soon.
const SIZE = 120 * 1024
const LIMIT_MS = 8000
const repeat = (text: string): string => text.repeat(Math.floor(SIZE / text.length))

describe('files that are made to keep a reader busy', () => {
  it.each([
    ['a.test.js', 'it('],
    ['a.test.js', "describe('a', () => {"],
    ['a.test.js', 'expect('],
    ['a.test.js', '/'],
    ['a.test.js', '`${'],
    ['a.test.js', ' \n'],
    ['test_a.py', 'def test_a(\n'],
    ['test_a.py', '@a(\n'],
    ['test_a.py', 'assert (\n'],
    ['a_test.go', 'func TestA(t *testing.T) {'],
    ['a.rs', '#[test] fn a() {'],
    ['a.rs', '#[a['],
    ['a_test.cpp', 'TEST(A, B) {'],
    ['a_test.cpp', '#if 0\n'],
    ['ATest.java', '@Test void a() {'],
    ['a_spec.rb', "it 'a' do\n"],
  ])('%s with many of %j', (path, text) => {
    const began = performance.now()
    outlineTests(path, repeat(text))
    wholeFileTest(path, repeat(text))
    expect(performance.now() - began).toBeLessThan(LIMIT_MS)
  })

  it('leaves generated files alone', () => expect(outlineTests('a.test.js', 'x'.repeat(300 * 1024))).toBeNull())

  it('a title of many placeholders', () => expect(nameFits(`${'%s a'.repeat(200)}b`, `f > ${'a '.repeat(5000)}`)).toBe(false))
})
