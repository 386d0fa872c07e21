import { describe, expect, it } from 'vitest'
import { atLeast, ISOLATION_LEVELS, levelName, parseLevel, weaker } from './isolation.ts'

describe('levels of isolation', () => {
  it('are shown with their number', () => {
    expect(ISOLATION_LEVELS.map(levelName)).toEqual(['L0 none', 'L1 guarded', 'L2 os-sandbox', 'L3 container'])
  })

  it.each(ISOLATION_LEVELS)('%s is read back from its word and from its name', (level) => {
    expect(parseLevel(level)).toBe(level)
    expect(parseLevel(levelName(level))).toBe(level)
  })

  it.each(['', 'L2', 'os sandbox', 'L1 os-sandbox', 'Guarded', 'vm'])('%j is none', (text) => {
    expect(parseLevel(text)).toBeNull()
  })

  it('are ordered by strength, and each is at least itself', () => {
    const enough = ISOLATION_LEVELS.map((level) => ISOLATION_LEVELS.filter((it) => atLeast(level, it)).length)
    expect(enough).toEqual([1, 2, 3, 4])
  })

  it('give the weaker of two, whichever comes first', () => {
    expect(weaker('os-sandbox', 'guarded')).toBe('guarded')
    expect(weaker('guarded', 'os-sandbox')).toBe('guarded')
    expect(weaker('container', 'container')).toBe('container')
  })
})
