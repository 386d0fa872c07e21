import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clientRoutes } from '../../scripts/reference.ts'
import { fromQuery } from './query.ts'
import { routesOf } from './routes.ts'

it('the routes that the client carries are those of the operations (else run: node scripts/reference.ts)', () => {
  const carried = readFileSync(join(import.meta.dirname, '../client/routes.ts'), 'utf8')
  expect(carried).toBe(clientRoutes())
})

it('no two operations have the same route, and each field of a path is one of its input', () => {
  const routes = routesOf()
  const shapes = routes.map((it) => `${it.method} ${it.path.replaceAll(/\{\w+\}/g, '{}')}`)
  expect(shapes.filter((it, at) => shapes.indexOf(it) !== at)).toEqual([])
  for (const { name, params, verb } of routes) for (const param of params) expect(Object.keys(verb.input.shape), name).toContain(param)
})

describe('a query', () => {
  const schema = {
    properties: {
      limit: { type: 'integer' },
      ratio: { anyOf: [{ type: 'number' }, { type: 'null' }] },
      all: { type: 'boolean' },
      name: { type: 'string' },
      status: { type: 'array', items: { type: 'string' } },
      levels: { type: 'array', items: { type: 'integer' } },
      after: { type: 'object' },
    },
  } as const
  const read = (query: string) => fromQuery(new URLSearchParams(query), schema as never)

  it.each([
    ['limit=5&all=true&name=5', { limit: 5, all: true, name: '5' }],
    ['limit=-5&ratio=0.5&all=false', { limit: -5, ratio: 0.5, all: false }],
    ['limit=five&all=yes&ratio=1e3', { limit: 'five', all: 'yes', ratio: '1e3' }],
    ['limit=&all=&name=', { limit: '', all: '', name: '' }],
    ['status=a&status=b&levels=1', { status: ['a', 'b'], levels: [1] }],
    ['after={"a":1}', { after: { a: 1 } }],
    ['after={"a":', { after: '{"a":' }],
    ['other=1', { other: '1' }],
  ])('%s is read as the schema means it', (query, expected) => expect(read(query)).toEqual(expected))

  it('says a field that is no list once, and reaches no prototype', () => {
    expect(() => read('limit=1&limit=2')).toThrow('"limit" is there 2 times')
    const odd = read('__proto__=x&constructor=y')
    expect([Object.keys(odd), Object.getPrototypeOf(odd)]).toEqual([['__proto__', 'constructor'], Object.prototype])
  })
})
