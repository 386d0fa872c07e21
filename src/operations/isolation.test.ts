import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type TestApp, TOY_FILES, testApp } from '../../test/support/app.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { toyTask } from '../../test/support/toy-task.ts'
import { ReeveError } from '../core/errors.ts'
import { settingsSchema } from '../core/settings.ts'
import { openStore, type Store } from '../store/open.ts'

// A level that every machine has, where a sandbox of the operating system is needed: the rule as it is on a machine without bubblewrap.
const BARE = { REEVE_SANDBOX__MINIMUM: '', REEVE_SANDBOX__LEVEL: 'guarded' }

function setUp(env: Record<string, string> = BARE) {
  const project = makeRepository(TOY_FILES)
  const app = testApp(project, env)
  return { project, app, client: app.open() }
}

async function refusal(call: Promise<unknown>): Promise<ReeveError> {
  const error = await call.then(
    () => null,
    (it: unknown) => it,
  )
  if (error instanceof ReeveError) return error
  throw new Error(`it was not refused: ${String(error)}`)
}

describe('a task that is submitted', () => {
  it('is refused below the level it needs, before anything is written, with the flag that accepts the risk', async () => {
    const { client } = setUp()
    const error = await refusal(client.call('runs.submit', { sentence: 'Do it', workflow: 'fine' }))
    expect(error).toMatchObject({ code: 'isolation_too_low', exit: 3 })
    expect(error.message).toMatch(/^The isolation of this machine is L1 guarded, and this run needs L2 os-sandbox: /)
    expect(error.hint).toContain('--accept-isolation guarded')
    expect(await client.call('runs.list', { all: true })).toEqual({ runs: [], next: null })
  })

  it('is taken when the level is accepted, and keeps that', async () => {
    const { client } = setUp()
    const { runs } = await client.call('runs.submit', { sentence: 'Do it', workflow: 'fine', accept_isolation: 'guarded' })
    const types: string[] = []
    for await (const event of client.stream('runs.work', { runs: runs.map((it) => it.id) })) types.push(event.type)
    expect(types.at(-1)).toBe('run.finished')
    const again = await refusal(client.call('runs.retry', { run: 'last' }))
    expect(again.code, 'a retry is a run of its own').toBe('isolation_too_low')
  })

  it('is taken by those who ask before each step, and by those who want no sandbox at all', async () => {
    const { client } = setUp()
    const ask = { sentence: 'Do it', workflow: 'fine' }
    expect((await client.call('runs.submit', { ...ask, autonomy: 'manual' })).runs).toHaveLength(1)
    expect((await client.call('runs.submit', { ...ask, accept_isolation: 'none' })).runs).toHaveLength(1)
  })

  it('is not taken where nothing holds, unless that is said outright', async () => {
    const { client } = setUp({ REEVE_SANDBOX__MINIMUM: '', REEVE_SANDBOX__LEVEL: 'none' })
    const error = await refusal(client.call('runs.submit', { sentence: 'Do it', workflow: 'fine', autonomy: 'manual' }))
    expect(error.hint).toContain('--i-understand-no-sandbox')
  })
})

/** A run that was submitted where there was a sandbox, seen by a process that has none. */
async function submittedElsewhere(app: TestApp, project: string): Promise<{ store: Store; run: string }> {
  const store = await openStore(join(app.home, 'reeve/state'))
  onTestFinished(() => store.close())
  const settings = settingsSchema.parse({ sandbox: { level: 'guarded', minimum: 'guarded' } })
  const options = { settings, base: git(project, 'rev-parse', 'HEAD'), actor: 'ada', timeoutMs: 60_000, isolation: 'os-sandbox' }
  const { row } = await store.submit({ task: toyTask('toy'), project, workflow: 'fine', options: options as never })
  return { store, run: row.id }
}

describe('a run that goes on', () => {
  it('does not go on at a lower level than it was submitted at: it stays where it is', async () => {
    const { client, app, project } = setUp()
    const { store, run } = await submittedElsewhere(app, project)
    const before = [await store.getRun(run), await store.events(run)]
    const work = async () => {
      for await (const event of client.stream('runs.work', { runs: [run] })) throw new Error(`it went on: ${event.type}`)
    }
    for (const call of [() => client.call('runs.resume', { run }), () => client.call('runs.resume', {}), work]) {
      const error = await refusal(call())
      expect(error.message).toMatch(/^The isolation of this machine is L1 guarded, and this run needs L2 os-sandbox: /)
    }
    expect([await store.getRun(run), await store.events(run)]).toEqual(before)
  })

  it('goes on when a person accepts the level, and the record says who', async () => {
    const { client, app, project } = setUp()
    const { store, run } = await submittedElsewhere(app, project)
    await client.call('runs.resume', { run, accept_isolation: 'guarded' })
    const [accepted] = await store.eventsOfType(run, ['isolation.accepted'])
    expect(accepted?.data).toMatchObject({ level: 'L1 guarded', needed: 'L2 os-sandbox', actor: expect.stringMatching(/./) })
    for await (const _ of client.stream('runs.work', { runs: [run] }));
    expect(await store.getRun(run)).toMatchObject({ state: 'succeeded', facts: { accepted: 'guarded' } })
  })

  it('keeps no acceptance that was not needed', async () => {
    const { client } = setUp({ REEVE_SANDBOX__LEVEL: 'guarded' })
    const { runs } = await client.call('runs.submit', { sentence: 'Do it', workflow: 'fine' })
    const run = runs[0]?.id ?? ''
    await client.call('runs.resume', { run, accept_isolation: 'none' })
    const types: string[] = []
    for await (const event of client.stream('runs.events', { run })) types.push(event.type)
    expect(types).not.toContain('isolation.accepted')
  })
})

it('tells the table, the level that runs need, and that they do not start below it', async () => {
  const { client } = setUp()
  const { ok, checks, isolation } = await client.call('doctor.check', {})
  expect(ok).toBe(false)
  expect(checks.find((it) => it.name === 'isolation')).toMatchObject({
    status: 'missing',
    detail: expect.stringMatching(/^L1 guarded by .*\. Runs need L2 os-sandbox and do not start\.$/),
  })
  expect(isolation).toMatchObject({ level: 'guarded', required: 'os-sandbox' })
  const accepting = await setUp({ REEVE_SANDBOX__LEVEL: 'guarded', REEVE_SANDBOX__MINIMUM: 'guarded' }).client.call('doctor.check', {})
  expect(accepting.checks.find((it) => it.name === 'isolation')?.status).toBe('ok')
})
