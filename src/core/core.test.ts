import { describe, expect, it } from 'vitest'
import { systemClock } from './clock.ts'
import { ERRORS, nearest, problemOf, ReeveError } from './errors.ts'
import { newRunId, taskIdFrom } from './ids.ts'
import { canonicalJson, parseJson } from './json.ts'
import { addCost, addUsage, isFinished, NO_USAGE } from './run.ts'
import { settingsSchema } from './settings.ts'
import { needsRedProof, taskSchema } from './task.ts'
import { introducedFindings, type Verdict } from './verdict.ts'

describe('errors', () => {
  it('fills the sentence and the hint from the details, and carries the exit code', () => {
    const error = new ReeveError('run_not_found', { run: 'r1' })
    expect(error.message).toBe('No run "r1".')
    expect(error.hint).toBe('List runs with: reeve ls')
    expect(error.exit).toBe(4)
  })

  it('leaves a place without a detail visible instead of printing undefined', () => {
    expect(new ReeveError('run_not_found').message).toBe('No run "{run}".')
  })

  it('has an exit code that is documented for every code', () => {
    for (const [code, entry] of Object.entries(ERRORS)) expect([1, 2, 3, 4, 5, 130, 0], code).toContain(entry.exit)
  })

  it('finds the nearest word and gives up on a far one', () => {
    expect(nearest('lnt', ['lint', 'tests'])).toBe('lint')
    expect(nearest('max_attemps', ['max_attempts', 'land'])).toBe('max_attempts')
    expect(nearest('zebra', ['lint', 'tests'])).toBeUndefined()
  })

  it('puts any thrown thing on one line', () => {
    expect(problemOf(new Error('a\n  b'))).toBe('a b')
    expect(problemOf('plain')).toBe('plain')
  })
})

describe('ids', () => {
  it('sort by time and fit into refs and paths', () => {
    const ids = [1, 2, 1_800_000_000_000, 1_800_000_000_001].map((now) => newRunId(now))
    expect(ids.toSorted()).toEqual(ids)
    for (const id of ids) expect(id).toMatch(/^r[0-9a-z]{13}$/)
  })

  it('makes a task id from any title', () => {
    expect(taskIdFrom('Füge Größe hinzu: schnell!')).toBe('fuge-gro-e-hinzu-schnell')
    expect(taskIdFrom('日本語')).toBe('task')
    expect(taskIdFrom('a'.repeat(100))).toHaveLength(40)
    expect(taskSchema.shape.id.safeParse(taskIdFrom('../../etc/passwd')).success).toBe(true)
  })
})

describe('json', () => {
  it('names the source of what it cannot parse', () => {
    expect(() => parseJson('{', 'package.json')).toThrow(/^package\.json is not valid JSON: /)
  })

  it('gives the same text for the same value whatever the order of keys', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}')
  })
})

describe('runs', () => {
  it('adds usage, and an unknown cost stays unknown', () => {
    expect(addUsage({ ...NO_USAGE, inputTokens: 2, requests: 1 }, { ...NO_USAGE, inputTokens: 3 })).toEqual({
      ...NO_USAGE,
      inputTokens: 5,
      requests: 1,
    })
    expect(addCost(1, 2)).toBe(3)
    expect(addCost(1, null)).toBeNull()
  })

  it('knows which statuses are final', () => {
    expect(['succeeded', 'failed', 'cancelled'].every((it) => isFinished(it as 'failed'))).toBe(true)
    expect(isFinished('waiting')).toBe(false)
  })
})

describe('tasks and settings', () => {
  it('asks for the red proof for features and bug fixes only', () => {
    expect(['feature', 'bugfix', 'refactor', 'docs', 'chore', 'test'].map((it) => needsRedProof(it as 'docs'))).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ])
  })

  it.each(['../x', '-o', 'a..b', 'x.lock', '', 'a/b', 'a b', '.hidden'])('refuses the task id %j', (id) => {
    expect(taskSchema.shape.id.safeParse(id).success).toBe(false)
  })

  it('has a default for everything: an empty file is a working configuration', () => {
    const settings = settingsSchema.parse({})
    expect(settings.runs.max_attempts).toBe(3)
    expect(settings.gates.coverage.threshold).toBe(80)
    expect(settings.providers.order).toEqual([])
  })
})

describe('verdicts', () => {
  it('sends only what the change introduced back to an agent', () => {
    const finding = { file: null, line: null, severity: 'error', rule: 'x', message: 'm' } as const
    const gate = {
      name: 'tests',
      status: 'failed',
      command: null,
      cwd: '.',
      reason: '',
      durationMs: 1,
      exitCode: 1,
      tests: null,
      base: null,
      outputTail: '',
      findings: [
        { ...finding, attribution: 'introduced' },
        { ...finding, attribution: 'pre-existing' },
        { ...finding, attribution: 'none' },
      ],
    } as const
    const verdict = { gates: [{ ...gate, findings: [...gate.findings] }] } as unknown as Verdict
    expect(introducedFindings(verdict).map((it) => it.attribution)).toEqual(['introduced', 'none'])
  })
})

describe('the clock', () => {
  it('stops sleeping as soon as the signal aborts', async () => {
    const abort = new AbortController()
    const slept = systemClock.sleep(60_000, abort.signal)
    abort.abort(new Error('stop now'))
    await expect(slept).rejects.toThrow('stop now')
    await expect(systemClock.sleep(1, abort.signal)).rejects.toThrow('stop now')
    await expect(systemClock.sleep(1)).resolves.toBeUndefined()
  })
})

it('sleeps for as long as it is told, also for longer than a timer can', async () => {
  const over = new AbortController()
  const sleep = systemClock.sleep(2 ** 31 + 1000, over.signal).then(
    () => 'woke',
    () => 'aborted',
  )
  expect(await Promise.race([sleep, systemClock.sleep(50).then(() => 'asleep')])).toBe('asleep')
  over.abort(new Error('enough'))
  expect(await sleep).toBe('aborted')
})
