import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { acts, edit, fixtureProject, type Reply, shell, write } from '../support/fixture-project.ts'
import { reeveFor, writeTask } from '../support/reeve.ts'
import { git } from '../support/repository.ts'
import { goodDirect, RANGES } from './cases.ts'

function projectWith(replies: readonly Reply[], config = '', provider = '') {
  const project = fixtureProject('node-test', { replies, config: `[runs]\nworkflow = "direct"\n${config}`, provider })
  return { project, reeve: reeveFor(project) }
}

const again = edit('src/ranges.js', String(RANGES.wrong.input['new']), String(RANGES.wrong.input['old']))

describe('limits', () => {
  it('ends after max_attempts, each of them kept', async () => {
    const { project, reeve } = projectWith(
      [1, 2, 3].map((attempt) => ({
        role: 'implementer',
        attempt,
        turns: acts(
          ...(attempt === 1 ? [RANGES.tests] : []),
          edit('src/ranges.js', attempt === 1 ? 'before[1])' : `before[1] + ${attempt})`, `before[1] + ${attempt + 1})`),
        ),
      })),
      'max_attempts = 3\n',
    )
    const ended = await reeve.run(RANGES.task)
    expect(ended.exitCode, ended.text).toBe(1)
    expect(ended.run.attempts).toBe(3)
    expect(ended.run.message).toContain('3 times')
    const kept = new Set(
      git(project, 'for-each-ref', '--format=%(refname)', `refs/reeve/attempts/${ended.run.id}/`)
        .split('\n')
        .map((ref) => git(project, 'show', `${ref}:src/ranges.js`)),
    )
    for (const attempt of [1, 2, 3])
      expect(
        [...kept].some((it) => it.includes(`before[1] + ${attempt + 1})`)),
        `attempt ${attempt}`,
      ).toBe(true)
  })

  it('ends when the budget of tokens is used up, and says so', async () => {
    const { reeve } = projectWith(
      [{ role: 'implementer', turns: [{ calls: [RANGES.tests], usage: { input: 9000, output: 2000 } }, ...acts(RANGES.wrong)] }],
      'max_tokens = 10000\n',
    )
    const ended = await reeve.run(RANGES.task)
    expect([ended.run.status, ended.run.reason], ended.text).toEqual(['failed', 'budget'])
    expect(ended.exitCode).toBe(3)
    expect(ended.run.message).toMatch(/budget of tokens/)
    expect(ended.run.usage.requests, 'no call after it').toBe(1)
  })

  it('notices that it is stuck: same files, same failures, no other provider', async () => {
    const { reeve } = projectWith(
      [
        { role: 'implementer', attempt: 1, turns: acts(RANGES.tests, RANGES.wrong) },
        { role: 'implementer', text: 'I think it is right.' },
      ],
      'max_attempts = 5\n',
    )
    const ended = await reeve.run(RANGES.task)
    expect(ended.exitCode, ended.text).toBe(1)
    expect(ended.run.attempts, 'it does not try five times').toBe(2)
    expect(ended.run.message).toMatch(/^Stuck/)
  })

  it('asks the next provider when one is stuck', async () => {
    const { reeve } = projectWith(
      [
        { role: 'implementer', attempt: 1, turns: acts(RANGES.tests, RANGES.wrong) },
        { role: 'implementer', attempt: 2, text: 'I think it is right.' },
        { role: 'implementer', attempt: 3, turns: acts(again, ...RANGES.right) },
      ],
      'max_attempts = 4\n',
    )
    const file = `${reeve.home}/second.yaml`
    const toml = readFileSync(`${reeve.project}/reeve.toml`, 'utf8')
    const replies = /^file = "(.*)"$/m.exec(toml)?.[1] ?? ''
    writeFileSync(file, readFileSync(replies))
    writeFileSync(
      `${reeve.project}/reeve.toml`,
      `${toml.replace('["script"]', '["script", "second"]')}\n[providers.second]\nkind = "scripted"\nfile = "${file}"\n`,
    )
    const ended = await reeve.run(RANGES.task)
    expect(ended.exitCode, ended.text).toBe(0)
    expect(ended.run.steps.filter((it) => it.kind === 'agent').map((it) => it.provider)).toEqual(['script', 'script', 'second'])
  })

  it('hands over to the next provider when one fails', async () => {
    const { reeve } = projectWith([{ role: 'implementer', turns: [{ fail: 'auth', problem: 'The key is not valid.' }] }])
    const file = `${reeve.home}/second.yaml`
    writeFileSync(file, stringify({ replies: goodDirect(RANGES) }))
    const toml = readFileSync(`${reeve.project}/reeve.toml`, 'utf8')
    writeFileSync(
      `${reeve.project}/reeve.toml`,
      `${toml.replace('["script"]', '["script", "second"]')}\n[providers.second]\nkind = "scripted"\nfile = "${file}"\n`,
    )
    const ended = await reeve.run(RANGES.task)
    expect(ended.exitCode, ended.text).toBe(0)
    expect(ended.events.find((it) => it.type === 'provider.failed')?.data).toMatchObject({ provider: 'script', class: 'auth' })
  })

  it('keeps the work of an attempt that ran out of time when the gates are green', async () => {
    const turns = [...[RANGES.tests, ...RANGES.right].map((call) => ({ calls: [call] })), { stall: '10m' }]
    const { reeve } = projectWith(
      [{ role: 'implementer', turns }],
      'step_timeout_minutes = 0.05\nmax_attempts = 1\n',
      'idle_timeout_seconds = 60\n',
    )
    const ended = await reeve.run(RANGES.task)
    expect(ended.exitCode, ended.text).toBe(0)
    expect(ended.run.steps.find((it) => it.kind === 'agent')?.summary).toMatch(/limited.*time/i)
  })

  it('ends a run that was worked on for longer than its limit', async () => {
    const { reeve } = projectWith(
      [{ role: 'implementer', turns: [{ delay: '10m', text: 'Late.' }] }],
      'timeout_minutes = 0.05\n',
      'idle_timeout_seconds = 600\n',
    )
    const ended = await reeve.run(RANGES.task)
    expect([ended.run.status, ended.run.reason], ended.text).toEqual(['failed', 'timeout'])
    expect(ended.exitCode).toBe(3)
  })
})

describe('refining', () => {
  it('is kept when the gates stay green', async () => {
    const tidy = edit(
      'src/ranges.js',
      '/** The ranges in order, those that overlap joined into one. */',
      '/** The ranges in order, those that overlap or touch joined into one. */',
    )
    const { project, reeve } = projectWith([...goodDirect(RANGES), { role: 'refiner', turns: acts(tidy) }], 'refine = true\n')
    const ended = await reeve.run(RANGES.task)
    expect(ended.exitCode, ended.text).toBe(0)
    expect(git(project, 'show', `${ended.run.branch}:src/ranges.js`)).toContain('overlap or touch')
  })

  it('is dropped when a gate fails after it, and the green change stays', async () => {
    const spoil = edit('src/ranges.js', 'merged.push([first, last])', 'merged.push([first])')
    const { project, reeve } = projectWith([...goodDirect(RANGES), { role: 'refiner', turns: acts(spoil) }], 'refine = true\n')
    const ended = await reeve.run(RANGES.task)
    expect(ended.exitCode, ended.text).toBe(0)
    expect(ended.run.verdict?.status, 'the verdict is about what is on the branch').toBe('passed')
    const text = git(project, 'show', `${ended.run.branch}:src/ranges.js`)
    expect(text).toContain('merged.push([first, last])')
    expect(text).toContain('before[1] + 1)')
    expect(
      ended.events.some((it) => it.type === 'attempt.kept'),
      'the dropped work is kept',
    ).toBe(true)
  })
})

describe('several tasks', () => {
  const first = { ...RANGES.task, id: 'first' }
  const notes = { id: 'notes', title: 'Say what it is for', description: 'Add a sentence to the README.', kind: 'docs' }
  const replies: Reply[] = [
    { role: 'implementer', task: 'first', turns: acts(RANGES.tests, ...RANGES.right) },
    {
      role: 'implementer',
      task: 'notes',
      turns: acts(edit('README.md', '`npm test` runs the tests.', 'For print dialogs. `npm test` runs the tests.')),
    },
    { role: 'implementer', task: 'bad', turns: acts(shell('true')) },
  ]

  it('come from several files, and the exit code is the worst of them', async () => {
    const { reeve } = projectWith(replies, 'max_attempts = 1\n')
    const bad = writeTask(reeve.home, { id: 'bad', title: 'Bad', description: 'Does nothing.' })
    const ended = await reeve.run([first, notes], { args: ['--file', bad] })
    expect(ended.exitCode, ended.text).toBe(1)
    expect(Object.fromEntries(ended.runs.map((it) => [it.task.id, it.status]))).toEqual({
      first: 'succeeded',
      notes: 'succeeded',
      bad: 'failed',
    })
  })

  it('wait for those they depend on', async () => {
    const { reeve } = projectWith(replies)
    const ended = await reeve.run([{ ...notes, depends_on: ['first'] }, first])
    expect(ended.exitCode, ended.text).toBe(0)
    const times = new Map(ended.runs.map((it) => [it.task.id, it]))
    expect(times.get('notes')?.startedAt ?? 0).toBeGreaterThanOrEqual(times.get('first')?.finishedAt ?? Number.NaN)
  })

  it('do not start when one they depend on has failed', async () => {
    const { reeve } = projectWith(replies, 'max_attempts = 1\n')
    const ended = await reeve.run([
      { ...notes, depends_on: ['bad'] },
      { id: 'bad', title: 'Bad', description: 'Does nothing.' },
    ])
    expect(ended.exitCode, ended.text).not.toBe(0)
    const runs = await reeve.json<{ task: { id: string }; status: string; message: string }[]>('ls', '--json')
    const dependent = runs.find((it) => it.task.id === 'notes')
    expect(dependent?.status, JSON.stringify(dependent)).not.toBe('succeeded')
    expect(dependent?.message ?? '').toMatch(/bad/)
  })

  it('run in two processes at once in one data folder', async () => {
    const { reeve } = projectWith(replies)
    const [one, two] = await Promise.all([reeve.run(first), reeve.run(notes)])
    expect([one.exitCode, two.exitCode], `${one.text}\n${two.text}`).toEqual([0, 0])
    expect(one.runs.map((it) => it.task.id)).toEqual(['first'])
    expect(two.runs.map((it) => it.task.id)).toEqual(['notes'])
  })

  it('a docs task needs no red proof', async () => {
    const { reeve } = projectWith([{ role: 'implementer', turns: acts(write('docs/use.md', '# Use\n\nType `1-3`.\n')) }])
    const ended = await reeve.run(notes)
    expect(ended.exitCode, ended.text).toBe(0)
    expect(ended.run.verdict?.redProof.status).toBe('not_needed')
  })
})
