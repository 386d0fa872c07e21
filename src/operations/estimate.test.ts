import { expect, it } from 'vitest'
import { estimateOf } from './estimate.ts'

const past = { runs: 12, medianMs: 60_000, p90Ms: 200_000 }
const at = (activeMs: number, claimedAt: number | null = null) =>
  estimateOf({ state: 'running', workflow: 'build', activeMs, claimedAt }, past, 1_000_000)

it('expects the median of past runs', () => {
  expect(at(0)).toEqual({ remainingMs: 60_000, basis: 'median of 12 runs of build in this project' })
})

it('counts the time of the claim at work', () => {
  expect(at(10_000, 980_000).remainingMs).toBe(30_000)
})

it('goes over to what nine of ten took, and then says that it does not know', () => {
  expect(at(100_000)).toEqual({
    remainingMs: 100_000,
    basis: 'longer than most; nine of ten of 12 runs of build in this project took no longer',
  })
  expect(at(300_000)).toEqual({ remainingMs: null, basis: 'it takes longer than 12 runs of build in this project' })
})

it('says so where there is nothing to tell it from', () => {
  const run = { workflow: 'direct', activeMs: 0, claimedAt: null }
  expect(estimateOf({ ...run, state: 'queued' }, null, 0).basis).toBe('no run of direct has ended in this project yet')
  expect(estimateOf({ ...run, state: 'failed' }, past, 0)).toEqual({ remainingMs: null, basis: 'the run has ended' })
})
