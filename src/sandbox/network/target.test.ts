import { describe, expect, it } from 'vitest'
import { keyOf, parseHost, permitted, readTarget } from './target.ts'

describe('a target', () => {
  it.each([
    ['a.test:443', { host: 'a.test', port: 443 }],
    ['A.Test:1', { host: 'a.test', port: 1 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['a.test', 'malformed'],
    ['a.test:', 'malformed'],
    ['a.test:0', 'malformed'],
    ['a.test:65536', 'malformed'],
    ['a.test:443:443', 'malformed'],
    ['::1:443', 'malformed'],
    ['a.test:+443', 'malformed'],
    ['https://a.test:443', 'malformed'],
    ['', 'malformed'],
  ])('is read from %j', (text, expected) => {
    expect(readTarget(text)).toEqual(expected)
  })

  it('is permitted as an exact pair of host and port; only hosts of the user may be addresses and words', () => {
    const allow = new Map(
      [
        { host: 'a.test', port: 443, own: false },
        { host: '10.0.0.1', port: 443, own: false },
        { host: 'nexus', port: 8081, own: true },
        { host: '10.0.0.2', port: 80, own: true },
        { host: 'fd00::1', port: 80, own: true },
      ].map((it) => [keyOf(it), it]),
    )
    const ask = (text: string) => {
      const target = readTarget(text)
      const answer = target === 'malformed' ? target : permitted(allow, target)
      return typeof answer === 'string' ? answer : 'yes'
    }
    const answers = [
      'a.test:443',
      'b.a.test:443',
      'a.test:80',
      '10.0.0.1:443',
      'nexus:8081',
      'nexus:80',
      '10.0.0.2:80',
      '[fd00::1]:80',
      'a_b.test:443',
    ]
    expect(answers.map((it) => `${it} ${ask(it)}`)).toEqual([
      'a.test:443 yes',
      'b.a.test:443 not-allowed',
      'a.test:80 not-allowed',
      '10.0.0.1:443 bad-hostname',
      'nexus:8081 yes',
      'nexus:80 bad-hostname',
      '10.0.0.2:80 yes',
      '[fd00::1]:80 yes',
      'a_b.test:443 bad-hostname',
    ])
  })

  it.each([
    ['a.test', false, { host: 'a.test', port: 443, own: false }],
    ['a.test:8443', false, { host: 'a.test', port: 8443, own: false }],
    ['Nexus:8081', true, { host: 'nexus', port: 8081, own: true }],
    ['10.0.0.1', true, { host: '10.0.0.1', port: 443, own: true }],
    ['[fd00::1]:80', true, { host: 'fd00::1', port: 80, own: true }],
    ['nexus', false, null],
    ['10.0.0.1', false, null],
    ['*.test', true, null],
    ['https://a.test', true, null],
    ['a.test/x', true, null],
    ['a b.test', true, null],
    ['', true, null],
  ])('is read from a setting: %j (own: %j)', (text, own, expected) => {
    expect(parseHost(text, own)).toEqual(expected)
  })
})
