import { expect, it } from 'vitest'
import { type Card, cardSchema, cardText } from './card.ts'
import { chainHead, hashOf } from './hash.ts'
import { commitSubject, landingMessage } from './landing-message.ts'

const USAGE = { inputTokens: 10, outputTokens: 5, cachedInputTokens: 0, requests: 2 }
const CARD: Card = {
  format: 1,
  reeve: '0.1.0',
  run: 'r1',
  task: { id: 'show-days', title: 'Show days', kind: 'feature' },
  outcome: { status: 'succeeded', reason: null, message: '2 gates passed' },
  base: 'a'.repeat(40),
  commit: 'b'.repeat(40),
  branch: 'auto/implementer/show-days',
  isolation: 'L1 guarded',
  attempts: 2,
  files: [{ path: 'src/a.ts', status: 'modified', added: 3, removed: 1 }],
  verdict: {
    status: 'passed',
    score: 1,
    summary: '2 gates passed',
    tree: null,
    base: null,
    changedCoverage: { lines: 4, covered: 3, percent: 75, threshold: 80, uncovered: [] },
    redProof: {
      status: 'proved',
      reason: 'one test is red without the change',
      files: ['test/a.test.ts'],
      red: ['shows days'],
      vacuous: ['is vacuous'],
    },
    gates: [
      {
        name: 'tests',
        status: 'passed',
        command: 'npm test',
        cwd: '.',
        reason: 'package.json',
        durationMs: 5,
        exitCode: 0,
        findings: [{ file: 'src/a.ts', line: 3, severity: 'warning', rule: 'x', message: 'look | here', attribution: 'pre-existing' }],
        tests: { total: 3, passed: 2, failed: 0, skipped: 1 },
        base: { status: 'failed', tests: null },
        outputTail: '',
      },
    ],
  },
  judged: { depth: 'full', specs: null },
  usage: USAGE,
  cost: null,
  trail: [
    {
      kind: 'claim',
      step: 'implement',
      role: 'implementer',
      provider: 'demo',
      status: 'completed',
      said: 'All <b>done</b> @team \u001B[31m',
      commit: 'c',
      tree: 't',
      usage: USAGE,
      cost: 0,
    },
    { kind: 'measurement', step: 'gates', tree: 't', status: 'passed', score: 1, summary: 'green', verdict: 'h' },
  ],
  chain: 'f00',
}

it('shows claims beside measurements, the gate matrix, the proof and what was not known', () => {
  const text = cardText(CARD)
  expect(text).toContain('**succeeded**: 2 gates passed')
  expect(text).toContain('| tests | passed | failed | 2 of 3, 1 skipped | npm test |')
  expect(text).toContain('- tests: src/a.ts:3 look \\| here (pre-existing)')
  expect(text).toContain('- red on the base, green with the change: shows days')
  expect(text).toContain('- proves nothing, green on the base: is vacuous')
  expect(text).toContain('Coverage of changed lines: 75.0 % (3 of 4, wanted 80 %)')
  expect(text).toContain('unknown (no price for the model)')
})

it('neutralises what an agent put into its words', () => {
  const text = cardText(CARD)
  expect(text).toContain('All &lt;b&gt;done&lt;/b&gt; @ team \\x1b[31m')
  expect(text).not.toContain('\u001B')
})

it('survives a round through JSON', () => {
  expect(cardSchema.parse(JSON.parse(JSON.stringify(CARD)))).toEqual(CARD)
})

it('gives another chain head when an entry is changed, dropped or moved', () => {
  const [a, b] = CARD.trail
  const heads = [[a, b], [b, a], [a], [{ ...a, said: 'x' }, b]].map(chainHead)
  expect(new Set(heads).size).toBe(4)
  expect(hashOf({ a: 1, b: 2 })).toBe(hashOf({ b: 2, a: 1 }))
})

it('writes a conventional subject of at most 72 characters', () => {
  expect(commitSubject('bugfix', 'Do not\n crash')).toBe('fix: do not crash')
  expect(commitSubject('feature', 'x'.repeat(100))).toHaveLength(72)
})

it('says in the trailers when a landing was forced over a red verdict', () => {
  const task = { kind: 'feature', title: 'A', description: 'B', id: 't' } as never
  expect(landingMessage({ task, run: 'r1', isolation: 'L1 guarded', verdict: 'failed', forced: true }).trailers['Reeve-Verdict']).toBe(
    'failed (landed with --force)',
  )
  expect(landingMessage({ task, run: 'r1', isolation: 'L1 guarded', verdict: 'passed', forced: false }).trailers['Reeve-Verdict']).toBe(
    'passed',
  )
})
