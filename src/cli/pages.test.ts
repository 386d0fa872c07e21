import { expect, it } from 'vitest'
import { cli, type TerminalOptions } from '../../test/support/terminal.ts'
import type { Client } from '../client/client.ts'
import type { GateResult, Verdict } from '../core/verdict.ts'
import { reportFailure } from './fail.ts'

/** A client that answers one operation with one value, or tells the items of one stream. */
function answering(name: string, value: unknown): Client {
  const wrong = (asked: string) => new Error(`asked for ${asked}, not for ${name}`)
  return {
    call: (asked: string) => (asked === name ? Promise.resolve(value) : Promise.reject(wrong(asked))),
    async *stream(asked: string) {
      if (asked !== name) throw wrong(asked)
      yield* value as never[]
    },
    close: () => Promise.resolve(),
  } as unknown as Client
}

const show = (argv: string[], name: string, value: unknown, options: TerminalOptions = {}) =>
  cli(argv, { client: answering(name, value), columns: 100, ...options })

const gate = (over: Partial<GateResult>): GateResult => ({
  name: 'tests',
  status: 'failed',
  command: 'npm test',
  cwd: '.',
  reason: 'package.json',
  durationMs: 1500,
  exitCode: 1,
  findings: [],
  tests: { total: 5, passed: 3, failed: 1, skipped: 1 },
  base: { status: 'passed', tests: null },
  outputTail: '',
  ...over,
})

const RED: Verdict = {
  status: 'failed',
  score: 0.5,
  summary: '1 test fails that does not fail on the base.',
  gates: [
    gate({
      findings: [
        { file: null, line: null, severity: 'warning', rule: 'slow', message: 'takes long', attribution: 'pre-existing' },
        { file: 'src/a.ts', line: 3, severity: 'error', rule: 'a > b', message: 'expected 1\nto be 2\u001b[2J', attribution: 'introduced' },
        ...Array.from({ length: 25 }, (_, at) => ({
          file: `f${at}`,
          line: null,
          severity: 'info' as const,
          rule: 'note',
          message: 'm',
          attribution: 'none' as const,
        })),
      ],
    }),
    gate({ name: 'lint', status: 'not_run', command: null, reason: 'eslint was not found.', tests: null, base: null, durationMs: 0 }),
  ],
  redProof: { status: 'refuted', reason: 'One test proves nothing.', files: ['a.test.ts'], red: ['a > b'], vacuous: ['a > c'] },
  changedCoverage: {
    lines: 10,
    covered: 4,
    percent: 40,
    threshold: 80,
    uncovered: [{ file: 'src/a.ts', lines: Array.from({ length: 20 }, (_, at) => at + 1) }],
  },
  tree: null,
  base: 'abc',
}

it("shows a verdict: gates, the change's own failures first, the proof, the coverage of changed lines", async () => {
  const { exit, out, err } = await show(['gate'], 'gates.run', [
    { type: 'gate.started', gate: 'tests', command: 'npm test', where: 'change' },
    { type: 'gate.finished', gate: 'tests', status: 'failed', introduced: 1, total: 2, durationMs: 1500, where: 'base' },
    { type: 'proof.finished', status: 'refuted', summary: 'One test proves nothing.' },
    { type: 'verdict', verdict: RED },
  ])
  expect(exit).toBe(1)
  expect(err.split('\n')).toEqual(['  tests: npm test', '· tests (base) failed 1.5s', '  red proof refuted: One test proves nothing.', ''])
  const lines = out.split('\n')
  expect(lines.slice(0, 7)).toEqual([
    'Verdict ✖ failed, score 0.50: 1 test fails that does not fail on the base.',
    '    GATE   STATUS   BASE    TESTS              TIME  COMMAND',
    '  ✖ tests  failed   passed  3 of 5, 1 skipped  1.5s  npm test',
    '  – lint   not run  -       -                  0s    eslint was not found.',
    '  Findings',
    '    error src/a.ts:3 introduced tests a > b: expected 1 to be 2\\x1b[2J',
    '    info f0 tests note: m',
  ])
  expect(out).toContain('… and 7 more: --json')
  expect(out).toContain(
    '  ✖ red proof refuted: One test proves nothing.\n      red without the change: a > b\n      proves nothing, it passes on the base: a > c',
  )
  expect(out).toContain('  ! changed lines covered: 4 of 10 (40 %, wanted 80 %)\n      not reached: src/a.ts:1,2,3,4,5,6,7,8,9,10,11,12,…')
})

it('exits with 3 when no gate could say anything, and with 130 when it was left', async () => {
  expect((await show(['gate'], 'gates.run', [{ type: 'verdict', verdict: { ...RED, status: 'not_run' } }])).exit).toBe(3)
  expect((await show(['gate'], 'gates.run', [])).exit).toBe(130)
})

it('says MISMATCH with what differs, and exits with 1', async () => {
  const verified = {
    run: 'r1',
    isolation: { recorded: 'L2 os-sandbox', measured: 'L1 guarded' },
    match: false,
    differences: ['The card was changed after the run wrote it.'],
    commit: 'abc',
    recorded: null,
    measured: null,
  }
  const { exit, out } = await show(['verify', 'r1'], 'evidence.verify', verified)
  expect([exit, out]).toEqual([
    1,
    '  The card was changed after the run wrote it.\n  isolation L1 guarded; the run itself was at L2 os-sandbox\nMISMATCH 1 thing is not as recorded\n',
  ])
})

it('shows who holds what in 80 columns, with every reason', async () => {
  const reason = 'cgroup v2 is not delegated to this user, so reeve looks every 100 ms and kills'
  const found = {
    ok: true,
    checks: [
      { about: 'machine', name: 'isolation', status: 'ok', detail: 'L2 os-sandbox by bubblewrap 0.8.0', hint: null },
      { about: 'machine', name: 'user', status: 'warning', detail: `as root: ${reason}`, hint: 'Work as an ordinary user.' },
    ],
    isolation: {
      level: 'os-sandbox',
      by: 'bubblewrap 0.8.0',
      required: 'os-sandbox',
      reason: '',
      improve: null,
      holds: [
        { name: 'reading your home folder', about: 'attack', grip: 'kernel', reason: 'tried: ENOENT' },
        { name: 'memory', about: 'limit', grip: 'watched', reason },
        { name: 'size of one file', about: 'limit', grip: 'per-process', reason: 'RLIMIT_FSIZE\u001b[2J' },
        { name: 'disk', about: 'limit', grip: 'none', reason: '' },
      ],
    },
  }
  const { exit, out } = await show(['doctor'], 'doctor.check', found, { columns: 80 })
  expect(exit).toBe(0)
  expect(out.split('\n').filter((it) => it.length > 80)).toEqual([])
  expect(out).toContain(`! machine  user           as root: cgroup v2 is not delegated to this user, so
                          reeve looks every 100 ms and kills
    Work as an ordinary user.
`)
  expect(out).toContain(`
What programs of runs are kept from, and by whom
  kernel       reading your home folder  tried: ENOENT
What limits them, and who sees to it
  watched      memory                    cgroup v2 is not delegated to this
                                         user, so reeve looks every 100 ms and
                                         kills
  per process  size of one file          RLIMIT_FSIZE\\x1b[2J
  none         disk

All that is needed is there.
`)
  const limits = found.isolation.holds.filter((it) => it.about === 'limit')
  const plain = { ...found, isolation: { ...found.isolation, level: 'guarded', holds: limits } }
  expect((await show(['doctor'], 'doctor.check', plain, { columns: 80 })).out).toContain(`
Programs of runs are kept from nothing: they read, write and reach what you may.
What limits them`)
  expect(JSON.parse((await show(['doctor', '--json'], 'doctor.check', found)).out)).toMatchObject({ isolation: found.isolation })
})

it('paints a patch for a terminal and makes it harmless, but leaves it as it is for a pipe', async () => {
  const patch = 'diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-old\n+new\u001b[2J\n'
  const found = {
    run: 'r1',
    base: 'a',
    commit: 'b',
    files: [{ path: 'a', status: 'modified', opaque: false, added: 1, removed: 1 }],
    patch,
  }
  expect((await show(['diff', 'r1'], 'runs.diff', found)).out).toBe(patch)
  expect((await show(['diff', 'r1'], 'runs.diff', found, { tty: true })).out).toContain('+new\\x1b[2J\n')
})

it('lists kept attempts, and says when there is none', async () => {
  const attempt = {
    ref: 'refs/reeve/attempts/r1/1',
    run: 'r1',
    number: 1,
    commit: '0123456789abcdef',
    at: '2026-01-01T00:00:00Z',
    subject: 'attempt 1',
  }
  const listed = await show(['rescue', 'r1'], 'runs.rescue', { run: 'r1', attempts: [attempt], restored: null })
  expect(listed.out).toBe('  1  0123456789ab  2026-01-01T00:00:00Z  attempt 1\nBring one back: reeve rescue r1 --attempt 1\n')
  const none = await show(['rescue', 'r1'], 'runs.rescue', { run: 'r1', attempts: [], restored: null })
  expect(none.out).toBe('No attempt was kept: everything this run wrote is on its branch.\n')
})

it('says which runs could not be cleaned, and exits with 3', async () => {
  const { exit, err } = await show(['clean'], 'runs.clean', { cleaned: ['r1'], failed: [{ run: 'r2', problem: 'held' }] })
  expect([exit, err]).toEqual([3, 'not cleaned: r2: held\n'])
})

const told = (ok: boolean) => [
  { type: 'said', text: 'Scripted.' },
  { type: 'stage', name: 'plan', happened: true, text: 'planned' },
  { type: 'stage', name: 'landing', happened: ok, text: 'landed' },
  { type: 'done', ok, folder: null },
]

it('shows each stage of the demo; its exit code is the truth', async () => {
  const good = await show(['demo'], 'demo.run', told(true))
  expect([good.exit, good.out]).toEqual([
    0,
    expect.stringContaining('Scripted.\n✔ plan           planned\n✔ landing        landed\n\nEvery stage happened.\n'),
  ])
  expect(good.out).toContain('With a real model:')
  const bad = await show(['demo'], 'demo.run', told(false))
  expect([bad.exit, bad.out]).toEqual([1, expect.stringContaining('✖ landing')])
})

it('tells what stays when nothing more can be resumed', async () => {
  const { exit, out, err } = await show(['resume'], 'runs.resume', {
    runs: [],
    skipped: [{ run: 'r1', reason: 'running; this needs patience' }],
  })
  expect([exit, out, err]).toEqual([0, 'No run of this project can go on.\n', 'r1 stays: it is running; this needs patience\n'])
})

it('reports what nobody foresaw as an error of its own, with the stack only for those who debug', () => {
  let err = ''
  const io = {
    json: false,
    out: () => undefined,
    err: (text: string) => void (err += text),
    paint: (_: unknown, text: string) => text,
    env: {},
  }
  expect(reportFailure(io, new TypeError('x is not a function\u001b[2J'))).toBe(3)
  expect(err).toBe(
    'reeve: Something went wrong inside reeve: x is not a function\\x1b[2J\n       Please report it with the output of: reeve doctor\n',
  )
  err = ''
  reportFailure({ ...io, env: { REEVE_DEBUG: '1' } }, new TypeError('x'))
  expect(err).toContain('pages.test.ts')
})
