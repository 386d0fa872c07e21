import { expect, it } from 'vitest'
import { partsOf, queryOf } from './words.ts'

it('splits names into their words', () => {
  expect(partsOf('parseHTTPHeader_v2')).toEqual(['parse', 'http', 'header', 'v2'])
  expect(partsOf('größenRechner')).toEqual(['größen', 'rechner'])
  expect(partsOf('kebab-case.name')).toEqual(['kebab', 'case', 'name'])
})

it('measures how well a name answers', () => {
  const query = queryOf('Round the cart totals with the method roundHalf')
  expect(query.name('roundHalf')).toBe(3)
  expect(query.name('cartTotal')).toBe(1.5)
  expect(query.name('cart')).toBe(1)
  expect(query.name('cartItems')).toBe(0.5)
  expect(query.name('fence')).toBe(0)
  // Words of every task text say nothing.
  expect(query.name('method')).toBe(0)
  expect(query.name('')).toBe(0)
  expect(queryOf('').name('cart')).toBe(0)
})

it('takes the forms of a word for one', () => {
  const query = queryOf('Redact while parsing requests of users')
  for (const name of ['redactor', 'isRedacted', 'parse', 'parser', 'request', 'user'])
    expect([name, query.name(name) > 0]).toEqual([name, true])
  expect(query.name('reduce')).toBe(0)
})

it('measures a path by the name of the file most', () => {
  const query = queryOf('http server')
  expect(query.path('http/server.py')).toBe(3)
  expect(query.path('src/server.ts')).toBe(2)
  expect(query.path('src/http/index.ts')).toBe(1)
  expect(query.path('src/fence.ts')).toBe(0)
})
