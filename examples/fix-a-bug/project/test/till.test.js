import assert from 'node:assert/strict'
import { test } from 'node:test'
import { total, withTax } from '../src/till.js'

test('adds the tax', () => {
  assert.equal(withTax(100, 0.25), 125)
})

test('adds up a receipt', () => {
  assert.equal(
    total([
      { cents: 100, rate: 0.25 },
      { cents: 200, rate: 0 },
    ]),
    325,
  )
})
