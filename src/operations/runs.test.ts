import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TOY_CONFIG, TOY_FILES, testApp } from '../../test/support/app.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import type { Client, InputOf } from '../client/client.ts'
import type { RunEvent } from '../core/event.ts'
import type { RunView } from '../core/run.ts'

function setUp(files: Record<string, string> = {}) {
  const project = makeRepository({ ...TOY_FILES, ...files })
  const app = testApp(project)
  return { project, app, client: app.open() }
}

async function submit(client: Client, workflow: string, more: Partial<InputOf<'runs.submit'>> = {}): Promise<RunView> {
  const { runs } = await client.call('runs.submit', { sentence: 'Do it', workflow, ...more })
  return runs[0] as RunView
}

async function work(client: Client, runs: string[], signal?: AbortSignal): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of client.stream('runs.work', { runs }, signal)) events.push(event)
  return events
}

async function refusal(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'nothing was refused',
    (error: Error) => error.message,
  )
}

describe('submit', () => {
  it('queues a sentence with the settings and the base of now', async () => {
    const { client, project } = setUp()
    const run = await submit(client, 'fine', { kind: 'bugfix', max_attempts: 2 })
    expect(run).toMatchObject({
      status: 'queued',
      workflow: 'fine',
      task: { title: 'Do it', kind: 'bugfix', role: 'implementer' },
      paths: { project },
    })
    expect(run.task.id).toMatch(/^do-it-[a-z0-9]{5}$/)
  })

  it("lets a budget that is chosen win over the task's own", async () => {
    const { client } = setUp()
    const text = 'id: a\ntitle: a\ndescription: a\nworkflow: fine\nbudget: { usd: 0.5, tokens: 9, minutes: 3 }\n'
    const submitted = async (more: object) => {
      const { runs } = await client.call('runs.submit', { documents: [{ name: 't.yaml', text }], ...more })
      return runs[0]?.task.budget
    }
    expect(await submitted({})).toEqual({ usd: 0.5, tokens: 9, minutes: 3 })
    expect(await submitted({ max_usd: 2 })).toEqual({ tokens: 9, minutes: 3 })
    expect(await submitted({ max_usd: 2, max_tokens: 99 })).toEqual({ minutes: 3 })
  })

  it('finds the same run by the same key, and makes another without', async () => {
    const { client } = setUp()
    const first = await submit(client, 'fine', { key: 'k' })
    expect((await submit(client, 'fine', { key: 'k' })).id).toBe(first.id)
    expect((await submit(client, 'fine')).id).not.toBe(first.id)
  })

  it('queues the tasks of files so that each comes after what it depends on', async () => {
    const { client } = setUp()
    const text = ['b', 'a']
      .map((id) => `id: ${id}\ntitle: ${id}\ndescription: ${id}\nworkflow: fine\n${id === 'b' ? 'depends_on: [a]\n' : ''}`)
      .join('---\n')
    const { runs } = await client.call('runs.submit', { documents: [{ name: 't.yaml', text }] })
    expect(runs.map((it) => [it.task.id, it.status, it.reason])).toEqual([
      ['a', 'queued', null],
      ['b', 'waiting', 'dependency'],
    ])
    const events = await work(
      client,
      runs.map((it) => it.id),
    )
    const ends = events.filter((it) => it.type === 'run.finished').map((it) => it.run)
    expect(ends).toEqual(runs.map((it) => it.id))
    const later = await client.call('runs.submit', {
      documents: [{ name: 'c.yaml', text: 'id: c\ntitle: c\ndescription: c\nworkflow: fine\ndepends_on: [b]\n' }],
    })
    expect(later.runs[0]?.status, 'b has succeeded already').toBe('queued')
  })

  it.each<[string, { [key: string]: unknown }, string]>([
    ['an unknown workflow', { workflow: 'bild' }, 'No workflow "bild". Known workflows: build, direct, fine, red, broken, asks, hangs.'],
    [
      'an unknown role',
      { role: 'boss' },
      'No role "boss". Known roles: architect, backend, data, frontend, implementer, ml, refiner, reviewer, spec-author.',
    ],
    ['an unknown provider', { provider: 'x' }, 'No provider "x". Configured providers: script.'],
    ['a folder that is not there', { target_dir: 'web' }, 'The path "web" is refused: there is no such folder at '],
    ['a folder outside', { target_dir: '../x' }, 'The path "../x" is refused: target_dir must be a folder inside the repository.'],
    ['an unknown base', { base: 'nope' }, 'No commit "nope" in '],
    ['a budget of nothing', { max_usd: 0 }, '--max-usd: runs.max_usd is 0; allowed: a number above 0'],
    ['a value out of range', { max_attempts: 0 }, '--max-attempts: runs.max_attempts is 0; allowed: a whole number from 1 to 20'],
    ['nothing', { sentence: undefined }, 'There is no task. Say what is wanted, or name a task file.'],
    ['a sentence and a file', { documents: [{ name: 'a', text: 'id: a' }] }, 'There is a sentence and a task file; give one of them.'],
    [
      'a dependency that nobody knows',
      { sentence: undefined, documents: [{ name: 'a.yaml', text: 'id: a\ntitle: a\ndescription: a\ndepends_on: [zz]' }] },
      'task "a": depends_on names "zz", which is no task of these files and has no run in this project',
    ],
    ['an unknown field', { workflo: 'x' }, 'runs.submit takes no "workflo"; did you mean "workflow"?'],
    ['a wrong type', { priority: 'high' }, 'runs.submit: priority: must be a number'],
  ])('refuses %s, and queues nothing', async (_what, input, sentence) => {
    const { client } = setUp()
    expect(await refusal(client.call('runs.submit', { sentence: 'Do it', ...input }))).toContain(sentence)
    expect((await client.call('runs.list', {})).runs).toEqual([])
  })

  it('refuses where no provider is configured or none has its key, and says which variable', async () => {
    const none = testApp(makeRepository({ a: '1' })).open()
    expect(await refusal(submit(none, 'fine'))).toBe('No provider is configured, so no agent can work.')
    const keyless = setUp({ 'reeve.toml': '[providers.c]\nkind = "anthropic"\nmodel = "m"\napi_key_env = "MY_KEY"\n' })
    expect(await refusal(submit(keyless.client, 'fine'))).toBe(
      'Provider "c" needs a key in the environment variable MY_KEY, which is not set.',
    )
  })

  it('refuses where the only agent is not installed, or nobody has logged in to it, and takes the run where another can work', async () => {
    const missing = '[providers.c]\nkind = "command"\nbinary = "reeve-no-such-agent"\n'
    const alone = setUp({ 'reeve.toml': missing })
    expect(await refusal(submit(alone.client, 'fine', { trust: true }))).toBe(
      'Provider "c": There is no program "reeve-no-such-agent" on the search path. Install it, or name it: [providers.c] binary = "/path/to/it"',
    )
    expect((await alone.client.call('runs.list', {})).runs).toEqual([])
    const two = setUp({ 'reeve.toml': `${missing}${TOY_FILES['reeve.toml']}` })
    expect((await submit(two.client, 'fine', { trust: true })).status).toBe('queued')
  })

  it('reads the settings of your checkout as it is, and those of a base that was named', async () => {
    const { client, project } = setUp({ 'reeve.toml': `${TOY_CONFIG}[runs]\nworkflow = "fine"\n` })
    git(project, 'branch', 'old')
    writeFileSync(join(project, 'reeve.toml'), `${TOY_CONFIG}[runs]\nworkflow = "red"\n`)
    const workflowOf = async (input: Partial<InputOf<'runs.submit'>>) =>
      (await client.call('runs.submit', { sentence: 'Do it', ...input })).runs[0]?.workflow
    expect(await workflowOf({}), 'not committed, but yours').toBe('red')
    git(project, 'commit', '-qam', 'Another workflow')
    expect(await workflowOf({ base: 'old' })).toBe('fine')
  })
})

describe('work', () => {
  it('gives every event once and in order, writes them to the log, and ends with the run', async () => {
    const { client } = setUp()
    const { id } = await submit(client, 'fine')
    const events = await work(client, [id])
    expect(events.map((it) => it.seq)).toEqual(events.map((_, at) => at + 1))
    expect(events.at(-1)).toMatchObject({ type: 'run.finished', data: { status: 'succeeded' } })
    const run = await client.call('runs.get', { run: 'last' })
    expect(run).toMatchObject({
      status: 'succeeded',
      message: 'It is done.',
      cost: 0.25,
      usage: { inputTokens: 10 },
      steps: [{ name: 'work', summary: 'did it' }],
    })
    const log = readFileSync(run.paths.log, 'utf8')
      .trimEnd()
      .split('\n')
      .map((it) => JSON.parse(it) as RunEvent)
    expect(log).toEqual(events)
  })

  it('ends when a run waits for a person, and goes on after the decision without repeating events in the log', async () => {
    const { client } = setUp()
    const { id } = await submit(client, 'asks')
    expect((await work(client, [id])).at(-1)?.type).toBe('run.waiting')
    const decided = await client.call('runs.reject', { run: id, comment: 'too early' })
    expect(decided.run.status).toBe('queued')
    await work(client, [id])
    const run = await client.call('runs.get', { run: id })
    expect(run).toMatchObject({ status: 'failed', reason: 'gates', message: 'You said no: too early' })
    const seqs = readFileSync(run.paths.log, 'utf8')
      .trimEnd()
      .split('\n')
      .map((it) => (JSON.parse(it) as RunEvent).seq)
    expect(seqs).toEqual(seqs.map((_, at) => at + 1))
  })

  it('hands runs back when the caller leaves, and resume finds them', async () => {
    const { client, app } = setUp()
    const { id } = await submit(client, 'hangs')
    const leave = new AbortController()
    const events: RunEvent[] = []
    for await (const event of client.stream('runs.work', { runs: [id] }, leave.signal)) {
      events.push(event)
      if (event.type === 'step.started') leave.abort()
    }
    expect(events.at(-1)?.type).toBe('run.detached')
    expect((await client.call('runs.get', { run: id })).status).toBe('queued')
    const other = app.open()
    expect((await other.call('runs.resume', {})).runs.map((it) => it.id)).toEqual([id])
  })

  it('works on what a run waits for too, and shows only what was asked for', async () => {
    const { client } = setUp()
    const text = ['a', 'b']
      .map((id) => `id: ${id}\ntitle: ${id}\ndescription: ${id}\nworkflow: fine\n${id === 'b' ? 'depends_on: [a]\n' : ''}`)
      .join('---\n')
    const { runs } = await client.call('runs.submit', { documents: [{ name: 't.yaml', text }] })
    const last = runs[1]?.id ?? ''
    const events = await work(client, [last], AbortSignal.timeout(20_000))
    expect((await client.call('runs.get', { run: last })).status).toBe('succeeded')
    expect(new Set(events.map((it) => it.run))).toEqual(new Set([last]))
  })

  it('hands them back too when the caller just stops reading', async () => {
    const { client } = setUp()
    const { id } = await submit(client, 'hangs')
    for await (const event of client.stream('runs.work', { runs: [id] })) if (event.type === 'step.started') break
    expect((await client.call('runs.get', { run: id })).status).toBe('queued')
  })

  it('is stopped from elsewhere', async () => {
    const { client, app } = setUp()
    const { id } = await submit(client, 'hangs')
    for await (const event of client.stream('runs.work', { runs: [id] })) {
      if (event.type === 'step.started') await app.open().call('runs.cancel', { run: id })
    }
    expect((await client.call('runs.get', { run: id })).status).toBe('cancelled')
  })
})

describe('what a run in this state does not do', () => {
  it('says what is needed instead', async () => {
    const { client } = setUp()
    const { id } = await submit(client, 'fine')
    expect(await refusal(client.call('runs.retry', { run: id }))).toBe(
      `Run ${id} is queued; retry needs a run that has ended; to go on with this one: reeve resume.`,
    )
    expect(await refusal(client.call('runs.land', { run: id }))).toBe(`Run ${id} is queued; land needs a run that has ended.`)
    expect(await refusal(client.call('runs.clean', { run: id }))).toBe(
      `Run ${id} is queued; clean needs a run that has ended; to end it: reeve stop.`,
    )
    expect(await refusal(client.call('runs.approve', { run: id }))).toMatch(/approve needs a run that waits for approval/)
    await work(client, [id])
    expect(await refusal(client.call('runs.resume', { run: id }))).toBe(
      `Run ${id} is succeeded; resume needs a run that has not ended; for a fresh one of its task: reeve retry.`,
    )
    expect(await refusal(client.call('runs.land', { run: id }))).toBe(`Run ${id} has a not_run verdict, so it does not land.`)
    expect(await refusal(client.call('runs.land', { run: id, force: true }))).toBe(
      `Run ${id} is succeeded without a commit; land needs a run that has changed something.`,
    )
    expect(await refusal(client.call('evidence.verify', { run: id }))).toContain('verify needs a finished run with its evidence card')
    expect(await client.call('runs.diff', { run: id })).toMatchObject({ files: [], patch: '' })
    expect(await client.call('runs.rescue', { run: id })).toMatchObject({ attempts: [], restored: null })
    expect(await refusal(client.call('runs.rescue', { run: id, attempt: 1 }))).toBe(`Run ${id} has no attempt 1. None was kept.`)
    expect(await client.call('runs.clean', {})).toEqual({ cleaned: [], failed: [] })
  })

  it('a retry is a fresh run of the same task, by the settings of now', async () => {
    const { client } = setUp()
    const { id } = await submit(client, 'red')
    await work(client, [id])
    const { runs } = await client.call('runs.retry', { run: id, workflow: 'fine' })
    expect(runs[0]).toMatchObject({ status: 'queued', workflow: 'fine' })
    expect(runs[0]?.id).not.toBe(id)
    const file = await client.call('runs.submit', {
      documents: [{ name: 'a', text: 'id: a\ntitle: a\ndescription: a\ntarget_dir: .' }],
      workflow: 'red',
    })
    expect(file.runs[0]?.task.target_dir).toBe('.')
    const again = await client.call('runs.retry', { run: id })
    expect(again.runs[0]?.workflow, 'the workflow it had').toBe('red')
  })
})

describe('lists and events', () => {
  it('lists the runs of this project, or of all, by status', async () => {
    const one = setUp()
    const other = testApp(makeRepository(TOY_FILES)).open()
    const { id } = await submit(one.client, 'red')
    await work(one.client, [id])
    const second = await submit(one.client, 'fine')
    const ids = async (input: InputOf<'runs.list'>) => (await one.client.call('runs.list', input)).runs.map((it) => it.id)
    expect(await ids({})).toEqual([second.id, id])
    expect(await ids({ status: ['failed'] })).toEqual([id])
    expect(await ids({ limit: 1 })).toEqual([second.id])
    const elsewhere = one.app.open({ cwd: makeRepository({ a: '1' }) })
    expect((await elsewhere.call('runs.list', {})).runs).toEqual([])
    expect((await elsewhere.call('runs.list', { all: true })).runs).toHaveLength(2)
    expect((await other.call('runs.list', { all: true })).runs, 'another data folder').toEqual([])
  })

  it('gives events behind a number, and explains decisions', async () => {
    const { client } = setUp()
    const { id } = await submit(client, 'asks')
    await work(client, [id])
    const events: RunEvent[] = []
    for await (const event of client.stream('runs.events', { run: id, after: 1 })) events.push(event)
    expect(events[0]?.seq).toBe(2)
    const { decisions } = await client.call('runs.explain', { run: id })
    expect(decisions.map((it) => it.type)).toEqual(['approval.asked', 'run.waiting'])
  })

  it('pauses, takes messages, and resumes', async () => {
    const { client } = setUp()
    const { id } = await submit(client, 'fine')
    await client.call('runs.pause', { run: id })
    await client.call('runs.send', { run: id, text: 'mind the gap' })
    expect((await work(client, [id])).at(-1)).toMatchObject({ type: 'run.waiting', data: { reason: 'paused' } })
    expect((await client.call('runs.resume', { run: id })).runs[0]?.status).toBe('queued')
    await work(client, [id])
    expect((await client.call('runs.get', { run: id })).status).toBe('succeeded')
  })
})
