import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration } from '../src/duration.js'

test('shows minutes alone', () => {
  assert.equal(formatDuration(45), '45m')
})

test('shows whole hours without minutes', () => {
  assert.equal(formatDuration(120), '2h')
})

test('shows hours and minutes', () => {
  assert.equal(formatDuration(90), '1h 30m')
})
