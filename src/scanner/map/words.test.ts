import { expect, it } from 'vitest'
import { matchOf, partsOf, pathMatch, queryWords } from './words.ts'

it('splits names into their words', () => {
  expect(partsOf('parseHTTPHeader_v2')).toEqual(['parse', 'http', 'header', 'v2'])
  expect(partsOf('größenRechner')).toEqual(['größen', 'rechner'])
  expect(partsOf('kebab-case.name')).toEqual(['kebab', 'case', 'name'])
})

it('takes the telling words of a task', () => {
  expect([...queryWords('Add the method parseHeader to src/http.ts')]).toEqual(['parseheader', 'parse', 'header', 'src', 'http'])
})

it('measures how well a name answers', () => {
  const words = queryWords('round the cart totals with roundHalf')
  expect(matchOf('roundHalf', words)).toBe(3)
  expect(matchOf('cartTotal', words)).toBe(1.5)
  expect(matchOf('cart', words)).toBe(1)
  expect(matchOf('cartItems', words)).toBe(0.5)
  expect(matchOf('fence', words)).toBe(0)
  expect(matchOf('cart', new Set())).toBe(0)
  expect(matchOf('', words)).toBe(0)
})

it('measures a path by the name of the file most', () => {
  const words = queryWords('http server')
  expect(pathMatch('http/server.py', words)).toBe(3)
  expect(pathMatch('src/server.ts', words)).toBe(2)
  expect(pathMatch('src/http/index.ts', words)).toBe(1)
  expect(pathMatch('src/fence.ts', words)).toBe(0)
})
