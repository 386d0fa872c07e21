import { expect, it } from 'vitest'
import { timeOf } from './not-before.ts'

it.each([
  ['2026-11-21T02:00Z', Date.UTC(2026, 10, 21, 2)],
  ['2026-11-21 02:00:30Z', Date.UTC(2026, 10, 21, 2, 0, 30)],
  ['2026-11-21T02:00:30.250+01:30', Date.UTC(2026, 10, 21, 0, 30, 30, 250)],
  ['2026-11-21T02:00', new Date(2026, 10, 21, 2).getTime()],
  [' 2026-11-21 ', new Date(2026, 10, 21).getTime()],
  ['2028-02-29', new Date(2028, 1, 29).getTime()],
])('reads the time %s', (text, at) => {
  expect(timeOf(text)).toBe(at)
})

it.each([
  '',
  'tomorrow',
  '2026-13-01',
  '2026-02-29',
  '2026-00-10',
  '2026-11-31T02:00',
  '2026-11-21T25:00',
  '2026-11-21T02:61',
  '2026-11-21T02',
  '21.11.2026',
  '2026-11-21T02:00+1',
  '0000-00-00',
  '1e3',
])('takes %j for no time', (text) => {
  expect(timeOf(text)).toBeNull()
})
