import { describe, expect } from 'vitest'
import { limited } from '../support/limited.ts'
import { itNeeds } from '../support/needs.ts'

const it = itNeeds('bubblewrap')

describe('30: output', () => {
  it('30: without end is stopped, and named', async () => {
    const { shell } = await limited({ limits: { output_mb: 8 } })
    const result = await shell('yes')
    expect([result.ended, result.problem]).toEqual(['flooded', '"yes" was ended: it wrote more than 8 MiB of output.'])
    expect(result.breach).toMatchObject({ limit: 'output', allowed: 8, unit: 'MB', setting: 'sandbox.limits.output_mb' })
  })

  it('30: a line of 1 GB is cut, and marked as cut, in bounded memory', async () => {
    const { shell } = await limited({ limits: { output_mb: 2048 } })
    await shell('true')
    const before = process.memoryUsage().rss
    const result = await shell('head -c 1073741824 /dev/zero', { keepBytes: 64 * 1024 })
    const grown = process.memoryUsage().rss - before
    expect(result).toMatchObject({ ended: 'exited', exitCode: 0, dropped: 2 ** 30 - 64 * 1024 })
    expect(result.stdout).toMatch(/^\0+\n\[\.\.\. \d+ bytes left out \.\.\.\]\n\0+$/)
    expect(grown / 2 ** 20, 'MB').toBeLessThan(128)
  })

  it('30: of any bytes is text', async () => {
    const { shell } = await limited()
    const { stdout } = await shell("printf 'a\\377\\376\\300b\\000c'; head -c 2000 /dev/urandom")
    expect(stdout).toMatch(/^a\uFFFD+b\0c/)
    expect(stdout.isWellFormed()).toBe(true)
  })
})
