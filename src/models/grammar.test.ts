import { describe, expect, it } from 'vitest'
import { grammarOf } from './grammar.ts'

function rules(schema: Parameters<typeof grammarOf>[0]): Record<string, string> {
  return Object.fromEntries(
    grammarOf(schema)
      .split('\n')
      .map((it) => it.split(' ::= ') as [string, string]),
  )
}

describe('the grammar of a schema', () => {
  it('puts properties in order, with commas only between those that are there', () => {
    const { 'root-value': root } = rules({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'integer' }, c: { type: 'boolean' } },
      required: ['b'],
    })
    expect(root).toBe(
      '"{" ws ("\\"a\\"" ws ":" ws string ws "," ws)? "\\"b\\"" ws ":" ws integer ws ("," ws "\\"c\\"" ws ":" ws boolean ws)? "}"',
    )
  })

  it('lets any property be the first where none must be there', () => {
    const { 'root-value': root } = rules({ type: 'object', properties: { a: { type: 'null' }, b: { type: 'number' } } })
    expect(root).toBe('"{" ws ("\\"a\\"" ws ":" ws null ws ("," ws "\\"b\\"" ws ":" ws number ws)? | "\\"b\\"" ws ":" ws number ws)? "}"')
  })

  it('counts items and characters', () => {
    expect(rules({ type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 3 })['root-value']).toBe(
      '"[" ws integer ws ("," ws integer ws){1,2} "]"',
    )
    expect(rules({ type: 'array', items: { type: 'string', maxLength: 5 } })).toMatchObject({
      'root-value': '"[" ws (root-value-item ws ("," ws root-value-item ws){0,})? "]"',
      'root-value-item': '"\\"" char{0,5} "\\""',
    })
  })

  it('asks for no count that is impossible', () => {
    expect(rules({ type: 'string', minLength: 3, maxLength: 2 })).toMatchObject({ root: 'string' })
    expect(rules({ type: 'array', items: { type: 'null' }, minItems: 3, maxItems: 2 })['root-value']).toBe(
      '"[" ws null ws ("," ws null ws){2,} "]"',
    )
  })

  it('follows patterns of plain characters, and leaves others open', () => {
    expect(rules({ type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,31}$' })['root-value']).toBe('"\\"" [a-z0-9] [a-z0-9-]{0,31} "\\""')
    expect(rules({ type: 'string', pattern: '^part-[0-9]+$' })['root-value']).toBe('"\\"" "p" "a" "r" "t" "-" [0-9]+ "\\""')
    for (const pattern of ['[a-z]+', '^(a|b)$', '^[^"]$', '^\\d$'])
      expect(rules({ type: 'string', pattern })).toMatchObject({ root: 'string' })
  })

  it('knows choices, alternatives, references and what is free', () => {
    expect(rules({ enum: ['a "b"', 3, null] })['root-value']).toBe('"\\"a \\\\\\"b\\\\\\"\\"" | "3" | "null"')
    expect(rules({ anyOf: [{ type: 'string' }, { type: ['integer', 'null'] }] })).toMatchObject({
      'root-value': 'string | root-value-1',
      'root-value-1': 'integer | null',
    })
    const tree = { $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } }, $ref: '#/$defs/node' }
    expect(rules(tree)).toMatchObject({
      root: 'root-value-ref',
      'root-value-ref': '"{" ws ("\\"next\\"" ws ":" ws root-value-ref ws)? "}"',
    })
    expect(rules({})).toMatchObject({ root: 'value' })
    expect(rules({ type: 'object', additionalProperties: { type: 'integer' } })['root-value']).toBe(
      '"{" ws (string ws ":" ws integer ws ("," ws string ws ":" ws integer ws)*)? "}"',
    )
  })

  it('admits no integer that JavaScript cannot hold and no exponent', () => {
    expect(rules({ type: 'integer' })).toMatchObject({ root: 'integer', integer: '"-"? ("0" | [1-9] [0-9]{0,14})' })
  })
})
