import { expect, it } from 'vitest'
import { deathsOf, expectAllWell, live } from './drive.ts'

// 50 before a release: REEVE_KILLS=50 npm test -- test/crash/random
const KILLS = Number(process.env['REEVE_KILLS'] ?? 4)

it(`survives ${KILLS} kills at random moments without losing work or doing it twice`, { timeout: 60_000 + KILLS * 30_000 }, async () => {
  let kills = 0
  let whole = 0
  while (kills < KILLS) {
    const began = performance.now()
    const first = whole === 0
    // The first run shows how long one takes; the others die somewhere in it, sometimes twice.
    const story = await live({ wrongFirst: true }, (command) => (first || command > 2 ? {} : { killAfterMs: Math.random() * whole }))
    if (first) whole = performance.now() - began
    kills += deathsOf(story)
    await expectAllWell(story)
  }
  expect(kills).toBeGreaterThanOrEqual(KILLS)
})
