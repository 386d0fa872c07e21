import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { cacheKey, readCached, type StoredMeasurement, writeCached } from './cache.ts'

const measurement: StoredMeasurement = {
  status: 'failed',
  exitCode: 1,
  durationMs: 5,
  findings: [],
  cases: [{ name: 'a', file: null, line: null, status: 'failed', failure: 'assertion', message: 'm' }],
}

describe('the cache of base results', () => {
  it('gives back what was kept, and nothing for another key', async () => {
    const folder = join(temporaryFolder(), 'new')
    await writeCached(folder, cacheKey({ a: 1 }), measurement)
    expect(await readCached(folder, cacheKey({ a: 1 }))).toEqual(measurement)
    expect(await readCached(folder, cacheKey({ a: 2 }))).toBeNull()
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('has one key for the same data in another order', () => {
    expect(cacheKey({ a: 1, b: [2] })).toBe(cacheKey({ b: [2], a: 1 }))
    expect(cacheKey({ argv: ['a', 'b'] })).not.toBe(cacheKey({ argv: ['b', 'a'] }))
  })

  it.each(['', '{', '[]', '{"format":1}', '{"format":2,"key":"x","measurement":{}}'])('ignores an entry that says %j', async (text) => {
    const folder = temporaryFolder()
    const key = cacheKey('x')
    writeFileSync(join(folder, `${key}.json`), text)
    expect(await readCached(folder, key)).toBeNull()
  })

  it('ignores an entry that was put under another name', async () => {
    const folder = temporaryFolder()
    await writeCached(folder, cacheKey('x'), measurement)
    writeFileSync(join(folder, `${cacheKey('y')}.json`), readFileSync(join(folder, `${cacheKey('x')}.json`)))
    expect(await readCached(folder, cacheKey('y'))).toBeNull()
  })

  it('keeps two hundred entries and drops the oldest', async () => {
    const folder = temporaryFolder()
    for (let at = 0; at < 205; at++) {
      const name = join(folder, `${cacheKey(at)}.json`)
      writeFileSync(name, '{}')
      utimesSync(name, at, at)
    }
    await writeCached(folder, cacheKey('new'), measurement)
    expect(readdirSync(folder)).toHaveLength(200)
    expect(await readCached(folder, cacheKey('new'))).toEqual(measurement)
  })

  it('does not fail when nothing can be written', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    await expect(writeCached(file, cacheKey('x'), measurement)).resolves.toBeUndefined()
  })
})
