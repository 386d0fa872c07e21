import { describe, expect, it } from 'vitest'
import { fakeTerminal } from '../../../test/support/terminal.ts'
import type { EventType, RunEvent } from '../../core/event.ts'
import { width } from '../text.ts'
import { createFollower } from './follow.ts'
import { frame } from './frame.ts'
import { eventLine } from './line.ts'
import { createScreen } from './screen.ts'
import { advance, type LiveRun, newLiveRun } from './state.ts'

const plain = (_style: unknown, text: string) => text
const look = (columns = 90, rows = 24, now = 65_000) => ({ paint: plain, columns, rows, now })

/** Events of one run, a second apart. */
function story(...facts: [EventType, RunEvent['data']][]): RunEvent[] {
  return facts.map(([type, data], at) => ({ run: 'r1', seq: at + 1, ts: (at + 1) * 1000, type, data }))
}

function after(events: readonly RunEvent[]): LiveRun {
  return events.reduce(advance, newLiveRun('r1', 'Add a flag', 'build'))
}

const usage = { inputTokens: 1000, outputTokens: 200, cachedInputTokens: 0, requests: 2 }
const BEGUN = story(
  ['run.queued', { task: 't', workflow: 'build' }],
  ['run.started', { node: 'n' }],
  ['step.started', { step: 'plan', kind: 'agent', role: 'architect', attempt: 1 }],
  ['provider.chosen', { step: 'plan', provider: 'local', model: 'm', reason: 'first' }],
  ['step.finished', { step: 'plan', kind: 'agent', status: 'succeeded', summary: 'Two parts.', usage, cost: 0.02, durationMs: 2000 }],
  ['step.started', { step: 'part-1/attempt-1/implement', kind: 'agent', role: 'implementer', provider: 'local', attempt: 1 }],
  ['agent.acted', { step: 'part-1/attempt-1/implement', tool: 'edit_file', target: 'src/a.ts', ok: true, summary: 'done' }],
)
const AT_GATES: RunEvent[] = [
  ...BEGUN,
  ...story(
    ['step.finished', { step: 'part-1/attempt-1/implement', kind: 'agent', status: 'succeeded', summary: 'All done!', usage, cost: null }],
    ['step.started', { step: 'part-1/attempt-1/gates', kind: 'gate', attempt: 1 }],
    ['gate.started', { step: 'part-1/attempt-1/gates', gate: 'types', command: 'tsc', where: 'change' }],
    [
      'gate.finished',
      { step: 'part-1/attempt-1/gates', gate: 'types', status: 'passed', introduced: 0, total: 0, durationMs: 900, where: 'change' },
    ],
    ['gate.started', { step: 'part-1/attempt-1/gates', gate: 'tests', command: 'npm test', where: 'change' }],
    [
      'gate.finished',
      { step: 'part-1/attempt-1/gates', gate: 'tests', status: 'failed', introduced: 2, total: 3, durationMs: 900, where: 'change' },
    ],
    ['gate.started', { step: 'part-1/attempt-1/gates', gate: 'tests', command: 'npm test', where: 'base' }],
  ).map((it) => ({ ...it, seq: it.seq + 7, ts: it.ts + 7000 })),
]

describe('the picture of a run', () => {
  it('shows the steps, what the agent does now, tokens, cost and time', () => {
    expect(frame([after(BEGUN)], look())).toEqual([
      '◐ r1 Add a flag                                                            build · 1m 03s',
      '  ✔ plan                           architect · local  Two parts.                       2s',
      '  ◐ part-1/attempt-1/implement     implementer · local  edit_file src/a.ts            59s',
      '  attempt 1 · 1.2k tokens in 2 calls, $0.02',
    ])
  })

  it('shows the gates of the change, and those of the base only while they run', () => {
    expect(frame([after(AT_GATES)], look()).slice(3)).toEqual([
      '  ◐ part-1/attempt-1/gates         tests: npm test                                    56s',
      '    types ✔  tests ✖ 2  tests ◐ (base)',
      '  attempt 1 · 2.4k tokens in 4 calls, cost unknown',
    ])
  })

  it('counts calls as they come, once, also those of a try that died', () => {
    const step = 'part-1/attempt-1/implement'
    const call: [EventType, RunEvent['data']] = ['usage.reported', { step, usage: { ...usage, requests: 1 }, cost: 0.1 }]
    const begun: [EventType, RunEvent['data']] = ['step.started', { step, kind: 'agent', role: 'implementer', attempt: 1 }]
    const said = (...events: [EventType, RunEvent['data']][]) => frame([after([...BEGUN, ...story(...events)])], look()).at(-1)
    expect(said(call, call)).toBe('  attempt 1 · 3.6k tokens in 4 calls, $0.22')
    expect(said(call, call, ['step.finished', { step, usage, cost: 0.2 }])).toBe('  attempt 1 · 2.4k tokens in 4 calls, $0.22')
    expect(said(call, ['run.interrupted', { message: 'gone' }], begun, call)).toBe('  attempt 1 · 3.6k tokens in 4 calls, $0.22')
  })

  it('says why it waits, and how it ended', () => {
    const waiting = after([...BEGUN, ...story(['run.waiting', { reason: 'approval', message: 'Shall it land?' }])])
    expect(frame([waiting], look()).at(-2)).toBe('  Shall it land?')
    const done = after([...BEGUN, ...story(['run.finished', { status: 'failed', reason: 'gates', message: 'The gates said no.' }])])
    const lines = frame([done], look())
    expect(lines[0]).toMatch(/^✖ r1 Add a flag/)
    expect(lines.at(-2)).toBe('  The gates said no.')
  })

  it('marks a step whose process died, and the same step begun again as one', () => {
    const events = [
      ...BEGUN,
      ...story(
        ['run.interrupted', { message: 'The process that worked on it is gone.' }],
        ['run.started', { node: 'n2' }],
        ['step.started', { step: 'part-1/attempt-1/implement', kind: 'agent', role: 'implementer', attempt: 1 }],
      ),
    ]
    expect(frame([after(events.slice(0, -2))], look()).join('\n')).toContain('↯ part-1/attempt-1/implement')
    const again = frame([after(events)], look())
    expect(again.filter((it) => it.includes('attempt-1/implement'))).toHaveLength(1)
    expect(again.join('\n')).toContain('◐ part-1/attempt-1/implement')
  })

  it('fits the terminal: no line is too wide, not too many lines, the newest stay', () => {
    const many = Array.from({ length: 40 }, (_, at) =>
      story(['step.started', { step: `part-${at}/implement`, kind: 'agent', attempt: 1 }]),
    ).flat()
    const wide = after([...BEGUN, ...many, ...story(['agent.said', { step: 'part-39/implement', text: '漢字'.repeat(100) }])])
    const lines = frame([{ ...wide, title: 'A title '.repeat(30) }], look(60, 12))
    expect(lines.length).toBeLessThan(12)
    expect(lines[1]).toMatch(/… \d+ steps before/)
    expect(lines.join('\n')).toContain('part-39/implement')
    for (const line of lines) expect(width(line), line).toBeLessThanOrEqual(60)
  })

  it('keeps to a narrow terminal with a real id, leaving out what is least needed first', () => {
    const run = { ...after(AT_GATES), id: 'r1m7vryfdd7vdm' }
    const busy = { ...run, gates: [...run.gates, ...run.gates, ...run.gates].map((it) => ({ ...it, where: 'change' as const })) }
    for (const columns of [40, 50, 60]) {
      const lines = frame([busy], look(columns))
      expect(lines.filter((line) => width(line) > columns)).toEqual([])
      expect(lines[0]).toMatch(/^◐ r1m7vryfdd7vdm Add a flag .*1m 03s$/)
    }
  })

  it('shortens to heads and current steps when there are several runs, then to heads and a tally', () => {
    const several = (count: number) => Array.from({ length: count }, (_, at) => ({ ...after(AT_GATES), id: `r${at}` }))
    const lines = frame(several(5), look(90, 24))
    expect(lines).toHaveLength(10)
    expect(lines.filter((it) => it.includes('Add a flag'))).toHaveLength(5)
    expect(lines.filter((it) => it.includes('attempt-1/gates'))).toHaveLength(5)
    const done = after([...BEGUN, ...story(['run.finished', { status: 'succeeded' }])])
    const crowd = frame([...Array.from({ length: 20 }, (_, at) => ({ ...done, id: `d${at}` })), ...several(8)], look(90, 24))
    expect(crowd).toHaveLength(23)
    expect(crowd[0]).toMatch(/^◐ r0 Add a flag/)
    expect(crowd.at(-1)).toBe('28 runs: 8 running, 20 succeeded')
  })

  it('obeys nothing that an agent says', () => {
    const said = after([...BEGUN, ...story(['agent.said', { step: 'part-1/attempt-1/implement', text: 'fine\u001b[2J\u202e\r\u0007' }])])
    const text = frame([{ ...said, title: 'x\u001b]0;owned\u0007' }], look()).join('\n')
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E]/)
    expect(text).toContain('\\x1b[2J\\u202e')
  })
})

describe('the screen', () => {
  it('draws over what was drawn before, erases what is left, and is silent when nothing has changed', () => {
    let out = ''
    const screen = createScreen({ out: (text) => void (out += text) })
    screen.draw(['one', 'two'])
    expect(out).toBe('\u001b[?25lone\u001b[K\ntwo\u001b[K\n\u001b[J\u001b[?25h')
    out = ''
    screen.draw(['one', 'two'])
    expect(out).toBe('')
    screen.draw(['three'])
    expect(out).toBe('\u001b[?25l\u001b[2A\rthree\u001b[K\n\u001b[J\u001b[?25h')
    out = ''
    screen.freeze()
    screen.draw(['below'])
    expect(out).toBe('\u001b[?25lbelow\u001b[K\n\u001b[J\u001b[?25h')
  })

  it('redraws as time passes on a terminal, and stops when it ends', () => {
    const terminal = fakeTerminal({ tty: true, now: 10_000 })
    const io = { ...terminal.host, json: false, client: () => Promise.reject(new Error('not asked')) }
    const follower = createFollower(io, [{ id: 'r1', title: 'Add a flag', workflow: 'build' }])
    follower.begin()
    for (const event of BEGUN) follower.show(event)
    terminal.tick()
    expect(terminal.out()).toContain('edit_file src/a.ts')
    follower.end()
    const length = terminal.out().length
    terminal.tick()
    expect(terminal.out().length).toBe(length)
  })
})

const line = (type: EventType, data: RunEvent['data']) => eventLine({ paint: plain }, { run: 'r1', seq: 1, ts: 0, type, data }).slice(9)

describe('events as lines', () => {
  it.each<[EventType, RunEvent['data'], string]>([
    ['run.queued', { task: 't', workflow: 'build' }, '  queued: task t, workflow build'],
    ['run.waiting', { reason: 'quota', message: 'local is full' }, '◌ waits (quota): local is full'],
    ['run.finished', { status: 'failed', reason: 'gates', message: 'no' }, '✖ failed (gates): no'],
    ['run.landed', { branch: 'main', commit: 'abc', how: 'merge', forced: true }, '✔ landed on main (merge), by force'],
    ['step.started', { step: 'plan', role: 'architect', provider: 'local' }, '  plan: architect by local'],
    [
      'step.finished',
      { step: 'plan', status: 'succeeded', summary: 'ok', durationMs: 1500, usage, cost: 0.5 },
      '✔ plan: ok  (1.5s, 1.2k tokens in 2 calls, $0.50)',
    ],
    ['step.failed', { step: 'plan', problem: 'crashed' }, '✖ plan: crashed'],
    ['agent.said', { step: 'plan', text: 'a\nb\u001b[0m' }, '  "a b\\x1b[0m"'],
    ['agent.acted', { step: 'plan', tool: 'read_file', target: 'a', ok: false, summary: 'no such file' }, '✖ read_file a: no such file'],
    ['provider.chosen', { step: 'plan', provider: 'local', model: 'm', reason: 'first in order' }, '  local (m): first in order'],
    [
      'provider.chosen',
      { provider: 'b', model: 'm', reason: 'next in order', passed: [{ provider: 'a', why: 'is left alone for 9 s (network: down)' }] },
      '  b (m): next in order; a is left alone for 9 s (network: down)',
    ],
    [
      'provider.chosen',
      { provider: 'b', model: 'm', reason: 'next in order', passed: [{ provider: 'a', why: `failed (network: ${'no '.repeat(30)})` }] },
      '  b (m): next in order; a failed (network: no no no no no no no no no no no no no n…',
    ],
    ['provider.limited', { provider: 'local', class: 'rate_limited' }, '! local rate_limited'],
    ['gate.started', { gate: 'tests', command: 'npm test', where: 'base' }, '  gate tests (base): npm test'],
    [
      'gate.finished',
      { gate: 'tests', status: 'failed', introduced: 2, total: 5, where: 'change' },
      '✖ gate tests failed: 2 introduced of 5 findings',
    ],
    ['gate.finished', { gate: 'lint', status: 'not_run', introduced: 0, total: 0 }, '– gate lint not run'],
    ['gate.finished', { gate: 'tests', status: 'failed', introduced: 0, total: 1, where: 'proof' }, '· gate tests (proof) failed'],
    ['verdict.reached', { status: 'passed', score: 1, summary: 'all green' }, '✔ verdict: all green'],
    ['proof.finished', { status: 'refuted', summary: 'vacuous' }, '✖ red proof refuted: vacuous'],
    ['approval.refused', { what: 'land', actor: 'ada', comment: 'not now' }, '✖ refused by ada: not now'],
    ['budget.reserved', { step: 'plan' }, ''],
  ])('%s %#', (type, data, text) => {
    expect(line(type, data)).toBe(text)
  })

  it('names the run when there are several', () => {
    expect(eventLine({ paint: plain }, { run: 'r1', seq: 1, ts: 0, type: 'run.started', data: {} }, 'r1')).toMatch(
      /^\d\d:\d\d:\d\d r1 {3}started$/,
    )
  })
})
