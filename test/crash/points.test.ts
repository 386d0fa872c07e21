import { describe, expect, it } from 'vitest'
import { CRASH_POINTS } from '../../src/core/crash.ts'
import { git } from '../support/repository.ts'
import { deathsOf, expectAllWell, live } from './drive.ts'

/** Points that are passed several times: the passing that matters most besides the first. Played by `npm run matrix`. */
const LATER: readonly string[] = [
  'after-step-started:direct/attempt-1/implement',
  'after-effect-before-journal:direct/attempt-1/implement',
  'after-effect-before-journal:direct/attempt-2/gates',
  'after-step-started:refine/drop',
  'after-effect-before-journal:refine',
  'after-effect-before-journal:evidence',
]

/** One of each kind, without the matrix: what was claimed, done, made, committed, kept and landed. */
const SOME: readonly string[] = [
  'after-claim',
  'after-effect-before-journal',
  'after-worktree-before-record',
  'after-commit-before-publish',
  'after-keep-before-restore',
  'after-land-before-record',
]

/** A run does not remove its own workspace: `src/workspace/crash.test.ts` dies there. */
const POINTS = CRASH_POINTS.filter((it) => it !== 'after-removal-before-record')

describe('a process that dies by kill -9 goes on where it was', () => {
  it.each(process.env['REEVE_MATRIX'] === 'all' ? [...POINTS, ...LATER] : SOME)('%s', async (point) => {
    const story = await live({ wrongFirst: point.includes('attempt-2') }, (_, deaths) =>
      deaths > 0 ? {} : { env: { REEVE_CRASH_AT: point } },
    )
    expect(deathsOf(story), `the run never passed ${point}`).toBe(1)
    await expectAllWell(story)
    const { project } = story
    expect(git(project, 'log', '-1', '--format=%(trailers:key=Reeve-Verdict,valueonly)', 'main'), 'it has landed').toContain('passed')
    expect(git(project, 'log', '--merges', '--format=%h', 'main').split('\n'), 'it has landed once').toHaveLength(1)
  })
})
