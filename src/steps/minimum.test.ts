import { describe, expect, it } from 'vitest'
import { ReeveError } from '../core/errors.ts'
import type { IsolationLevel, IsolationReport } from '../core/isolation.ts'
import { type Role, roleSchema } from '../core/role.ts'
import { settingsSchema } from '../core/settings.ts'
import { checkIsolation, neededLevel, requiredLevel } from './minimum.ts'
import type { RunRow } from './options.ts'

const role = (permissions: object): Role => roleSchema.parse({ name: 'x', prompt: 'Do.', permissions })
const LOOKS = role({ write: 'none' })
const WRITES = role({ write: 'tests' })
const RUNS = role({ write: 'none', run_commands: true })
const settings = (given: object) => settingsSchema.parse(given)

const report = (level: IsolationLevel, more: Partial<IsolationReport> = {}): IsolationReport => ({
  level,
  by: 'plain processes',
  holds: [],
  reason: 'bubblewrap is not installed.',
  improve: { command: 'sudo apt-get install bubblewrap', gain: 'a sandbox of the operating system (L2)' },
  ...more,
})

describe('the level that a run needs', () => {
  it.each([
    ['autonomous', RUNS, 'os-sandbox'],
    ['supervised', RUNS, 'os-sandbox'],
    [undefined, RUNS, 'os-sandbox'],
    ['manual', RUNS, 'guarded'],
    ['autonomous', LOOKS, 'guarded'],
    // The gates run what it writes.
    ['autonomous', WRITES, 'os-sandbox'],
  ])('with autonomy %s and such a role: %#', (autonomy, who, level) => {
    expect(requiredLevel(settings({ runs: { autonomy } }), [LOOKS, who])).toBe(level)
  })

  it('is what the settings say, lower or higher', () => {
    expect(requiredLevel(settings({ sandbox: { minimum: 'none' } }), [RUNS])).toBe('none')
    expect(requiredLevel(settings({ sandbox: { minimum: 'container' }, runs: { autonomy: 'manual' } }), [RUNS])).toBe('container')
  })

  it('is not below a level that was asked for by name', () => {
    expect(requiredLevel(settings({ sandbox: { level: 'container' } }), [RUNS])).toBe('container')
    expect(requiredLevel(settings({ sandbox: { level: 'guarded' } }), [RUNS])).toBe('os-sandbox')
    expect(requiredLevel(settings({ sandbox: { level: 'container', minimum: 'os-sandbox' } }), [RUNS])).toBe('os-sandbox')
  })
})

describe('a run that was submitted', () => {
  const row = (isolation: IsolationLevel | undefined, accepted?: string) =>
    ({
      options: { settings: settings({ sandbox: { minimum: 'guarded' } }), base: 'b', actor: 'ada', timeoutMs: 1, isolation },
      facts: accepted === undefined ? {} : { accepted },
    }) as unknown as RunRow

  it('needs the level it was submitted at, whatever its minimum', () => {
    expect(neededLevel(row('os-sandbox'), [])).toBe('os-sandbox')
    expect(neededLevel(row(undefined), [])).toBe('guarded')
  })

  it('needs what a person has accepted since', () => {
    expect(neededLevel(row('os-sandbox', 'guarded'), [])).toBe('guarded')
  })
})

describe('a level that is too low', () => {
  function refusal(it: IsolationReport, required: IsolationLevel): ReeveError {
    try {
      checkIsolation(it, required)
    } catch (error) {
      if (error instanceof ReeveError) return error
    }
    throw new Error('it was not refused')
  }

  it('is refused with what helps and the flag that accepts the risk', () => {
    const error = refusal(report('guarded'), 'os-sandbox')
    expect(error).toMatchObject({ code: 'isolation_too_low', exit: 3 })
    expect(error.message).toBe(
      'The isolation of this machine is L1 guarded, and this run needs L2 os-sandbox: bubblewrap is not installed.',
    )
    expect(error.hint).toBe(
      'For a sandbox of the operating system (L2): sudo apt-get install bubblewrap\nTo accept the risk for this run: --accept-isolation guarded',
    )
  })

  it('says where to look when nothing can be installed, and names the flag of no sandbox at all', () => {
    const error = refusal(report('none', { improve: null, reason: '' }), 'guarded')
    expect(error.message).toContain('no stronger one was asked for (sandbox.level).')
    expect(error.hint).toBe('See what this machine holds: reeve doctor\nTo accept the risk for this run: --i-understand-no-sandbox')
  })

  it('is not what an equal or a stronger level is', () => {
    expect(() => checkIsolation(report('os-sandbox'), 'os-sandbox')).not.toThrow()
    expect(() => checkIsolation(report('container'), 'os-sandbox')).not.toThrow()
  })
})
