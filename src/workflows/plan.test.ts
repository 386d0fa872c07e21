import { expect, it } from 'vitest'
import { inOrder, planSchema } from './plan.ts'

const part = (id: string, ...depends_on: string[]) => ({ id, title: id, goal: 'g', files: [], depends_on })

it('orders parts by what they depend on, otherwise as given', () => {
  expect(inOrder([part('c', 'a'), part('a'), part('b')])?.map((it) => it.id)).toEqual(['a', 'c', 'b'])
})

it.each([
  ['a circle', [part('a', 'b'), part('b', 'a')]],
  ['a part that is not there', [part('a', 'x')]],
  ['an id twice', [part('a'), part('a')]],
])('refuses %s', (_what, parts) => {
  expect(inOrder(parts)).toBeNull()
})

it('takes at least one part and at most twelve', () => {
  const many = Array.from({ length: 13 }, (_, at) => part(`p${at}`))
  expect(planSchema.safeParse({ summary: 's', parts: [] }).success).toBe(false)
  expect(planSchema.safeParse({ summary: 's', parts: many }).success).toBe(false)
  expect(planSchema.safeParse({ summary: 's', parts: [part('a')] }).success).toBe(true)
})
