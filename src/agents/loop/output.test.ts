import { describe, expect, it } from 'vitest'
import { answerIn, checker } from './output.ts'

const check = checker({ type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false })

describe('finding the answer in a text', () => {
  const found: [title: string, text: string, n: number][] = [
    ['the text itself', ' {"n": 1}\n', 1],
    ['a fenced block', 'Here it is:\n```json\n{"n": 2}\n```\nDone.', 2],
    ['the last fenced block that fits', '```json\n{"n": 1}\n```\nno, rather\n```\n{"n": 3}\n```', 3],
    ['a block that fits, not the example after it', '```json\n{"n": 4}\n```\n```ts\nconst x = 1\n```', 4],
    ['an object within words', 'The answer is {"n": 5}, I think.', 5],
  ]
  it.each(found)('takes %s', (_title, text, n) => expect(answerIn(text, check)).toEqual({ ok: true, value: { n } }))

  const refused: [text: string, problem: string][] = [
    ['', 'the answer is empty'],
    ['I could not do it.', 'the answer is not valid JSON'],
    ['{"n": "x"}', 'n: Invalid input: expected number, received string'],
    ['{"n": 1, "m": 2}', 'the answer: Unrecognized key: "m"'],
    ['{"n": 1', 'the answer is not valid JSON'],
    ['[1, 2]', 'the answer: Invalid input: expected object, received array'],
  ]
  it.each(refused)('refuses %j with what is wrong', (text, problem) => {
    const result = answerIn(text, check)
    expect(result).toMatchObject({ ok: false })
    expect(result.ok ? '' : result.problem).toContain(problem)
  })
})
