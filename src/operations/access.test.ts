import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { writeFiles } from '../../test/support/folder.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import type { Client } from '../client/client.ts'
import { type AccessRole, type Actor, localUser } from '../core/actor.ts'
import { ReeveError } from '../core/errors.ts'
import type { Context } from './context.ts'
import { invoke, open } from './invoke.ts'
import type { Operation, Stream } from './operation.ts'
import { OPERATIONS, STREAMS } from './table.ts'

type Any = Operation | Stream
const ALL: readonly Any[] = [...Object.values(OPERATIONS), ...Object.values(STREAMS)]
const never = new AbortController().signal

function keyOf(role: AccessRole, projects: readonly string[] | null): Actor {
  return { kind: 'key', name: 'key:ci', role, projects }
}

/** A context in which whatever is touched, besides who calls, is told. */
function watched(caller: Actor): { context: Context; touched: string[] } {
  const touched: string[] = []
  const audit = { record: async () => undefined, refused: async () => undefined }
  const secrets = { redact: (text: string) => text }
  const known: Record<string, unknown> = { caller, actor: caller.name, secrets, via: 'test', audit, named: new Map() }
  const context = new Proxy(known, {
    get(target, name) {
      if (name in target) return target[name as string]
      touched.push(String(name))
      return undefined
    },
  })
  return { context: context as unknown as Context, touched }
}

async function call(it: Any, context: Context, input: unknown): Promise<unknown> {
  if (!('events' in it)) return invoke(it, context, input, never)
  const events: unknown[] = []
  for await (const event of open(it, context, input, AbortSignal.timeout(2000))) {
    events.push(event)
    if (events.length > 100) break
  }
  return events
}

describe('48: a viewer', () => {
  const writes = ALL.filter((it) => it.effect !== 'read').map((it) => [it.name, it] as const)

  it.each(writes)('may not call %s, and nothing is read before that is said', async (_name, it) => {
    const { context, touched } = watched(keyOf('viewer', null))
    // Input that nobody could read: what is wrong with it is not for a viewer to hear.
    const trap = new Proxy({}, { ownKeys: () => expect.fail('the input was read'), get: () => expect.fail('the input was read') })
    await expect(call(it, context, trap)).rejects.toMatchObject({
      code: 'forbidden',
      status: 403,
      message: expect.stringContaining(`key:ci is viewer and may not call ${it.name}`),
    })
    expect(touched).toEqual([])
  })
})

describe('an API key of all projects, whatever its role,', () => {
  const own = ALL.filter((it) => it.who === 'user').map((it) => [it.name, it] as const)

  it('is kept from what works with the files and programs of the person at this machine', () => {
    const least = ['demo.run', 'gates.run', 'models.add', 'models.remove', 'project.init', 'project.trust', 'state.backup', 'state.restore']
    expect(own.map(([name]) => name)).toEqual(expect.arrayContaining(least))
  })

  it.each(own)('may not call %s', async (_name, it) => {
    const { context, touched } = watched(keyOf('admin', null))
    await expect(call(it, context, {})).rejects.toMatchObject({ code: 'forbidden', details: { needed: 'the user of this machine' } })
    expect(touched).toEqual([])
  })
})

describe('an operator', () => {
  const cases: readonly (readonly [string, object, string])[] = [
    ['runs.submit', { sentence: 'x', accept_isolation: 'guarded' }, 'accept the isolation "guarded"'],
    ['runs.submit', { sentence: 'x', trust: true }, 'trust what a project says of its providers'],
    ['runs.retry', { run: 'x', accept_isolation: 'none' }, 'accept the isolation "none"'],
    ['runs.replay', { run: 'x', trust: true }, 'trust what'],
    ['runs.resume', { run: 'x', accept_isolation: 'guarded' }, 'accept the isolation'],
    ['evidence.verify', { run: 'x', accept_isolation: 'none' }, 'accept the isolation'],
    ['runs.land', { run: 'x', force: true }, 'land what is not green'],
    ['runs.rescue', { run: 'x', attempt: 1, folder: '/tmp/x' }, 'write into a folder outside of the project'],
  ]
  it.each(cases)('may not ask %s for %o', async (name, input, doing) => {
    const it = ALL.find((known) => known.name === name) as Any
    for (const actor of [keyOf('operator', null), { ...keyOf('admin', ['/p']), role: 'admin' as const }]) {
      const { context, touched } = watched(actor)
      await expect(call(it, context, input)).rejects.toMatchObject({ code: 'forbidden', message: expect.stringContaining(doing) })
      expect(touched).toEqual([])
    }
  })
})

/** What somebody would send who wants something of another project. */
const FOREIGN_FIELDS: Readonly<Record<string, (theirs: Theirs, operation: string) => unknown>> = {
  run: (it) => it.run,
  runs: (it) => [it.run],
  project: (it) => it.root,
  // Of a run, a path is one within its files.
  path: (it, name) => (name.startsWith('workspace.') ? 'package.json' : it.root),
  sentence: () => 'Do it',
  projects: (it) => [it.root],
  all: () => true,
}

interface Theirs {
  root: string
  run: string
}

async function twoProjects() {
  const mine = makeRepository(TOY_FILES, 'mine')
  const root = makeRepository(TOY_FILES, 'theirs-7391')
  const app = testApp(mine).serve()
  const user = (cwd: string) => app.as({ actor: localUser('ada'), cwd, env: null })
  const key = (role: AccessRole) => app.as({ actor: keyOf(role, [mine]), cwd: null, env: null })
  const { runs } = await user(root).call('runs.submit', { sentence: 'Keep secret-7391', workflow: 'fine', key: 'once' })
  return { app, mine, theirs: { root, run: runs[0]?.id ?? '' }, user, key }
}

/** Calls that name the other project, one for each field that could, with what is needed besides. */
function inputsFor({ name: operation, input }: Any, theirs: Theirs): Record<string, unknown>[] {
  const schema = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, Field>
    required?: string[]
  }
  const { properties = {}, required = [] } = schema
  const valueOf = (name: string) => (FOREIGN_FIELDS[name] ?? (() => sample(properties[name] ?? {})))(theirs, operation)
  const needed = Object.fromEntries(required.map((name) => [name, valueOf(name)]))
  const foreign = Object.keys(properties).filter((name) => name in FOREIGN_FIELDS && name !== 'sentence' && !required.includes(name))
  const also = 'sentence' in properties ? { sentence: valueOf('sentence') } : {}
  return foreign.length === 0 ? [needed] : foreign.map((name) => ({ ...needed, ...also, [name]: valueOf(name) }))
}

interface Field {
  type?: string
  enum?: unknown[]
  minimum?: number
}

function sample({ type, enum: values, minimum }: Field): unknown {
  if (values !== undefined) return values[0]
  if (type === 'array') return []
  if (type === 'boolean') return true
  return type === 'integer' || type === 'number' ? (minimum ?? 1) : 'forbidden'
}

/** These answer, with nothing that is of another project: a page of the documents, and lists of the caller's own. */
const ANSWERS = ['errors.explain', 'runs.list', 'costs.report', 'runs.clean', 'events.watch', 'queue.list']
const REFUSALS = ['forbidden', 'run_not_found']

describe('a key for one project', () => {
  it('gets nothing of another one from any operation', async () => {
    const { theirs, key } = await twoProjects()
    const wrong: string[] = []
    const calls = ALL.flatMap((it) => inputsFor(it, theirs).map((input) => ({ it, input })))
    for (const { it, input } of calls) {
      for (const role of ['viewer', 'operator', 'admin'] as const) {
        const said = await answerOf(key(role), it, input)
        // What the caller has said itself may be repeated.
        const text = JSON.stringify(said).replaceAll(theirs.root, '').replaceAll(theirs.run, '')
        const fine = 'answer' in said ? ANSWERS.includes(it.name) : REFUSALS.includes(said.code)
        if (!fine || text.includes('7391')) wrong.push(`${it.name} as ${role} (${JSON.stringify(input)}): ${text.slice(0, 300)}`)
      }
    }
    expect(wrong.join('\n')).toBe('')
  })

  it('sees its own runs among all, and "last" is its own', async () => {
    const { mine, theirs, user, key } = await twoProjects()
    const own = (await user(mine).call('runs.submit', { sentence: 'Mine', workflow: 'fine' })).runs[0]?.id ?? ''
    await user(theirs.root).call('runs.submit', { sentence: 'Later', workflow: 'fine' })
    const client = key('viewer')
    expect((await client.call('runs.list', { all: true })).runs.map((it) => it.id)).toEqual([own])
    expect((await client.call('runs.list', { project: mine })).runs.map((it) => it.id)).toEqual([own])
    expect((await client.call('runs.get', { run: 'last' })).id).toBe(own)
    // A part of both ids: what is not there makes it no less clear.
    const part = own.slice(0, 4)
    expect(theirs.run.startsWith(part)).toBe(true)
    expect((await client.call('runs.get', { run: part })).id).toBe(own)
    await expect(user(mine).call('runs.get', { run: part })).rejects.toMatchObject({ code: 'ambiguous_run' })

    const again = await user(mine).call('runs.submit', { sentence: 'Mine too', workflow: 'fine', key: 'once' })
    expect(again.runs[0]?.paths.project, 'not the run of the other one that was submitted with this key').toBe(mine)
  })

  it('is not led out of its project, nor told what is there', async () => {
    const { mine, theirs, key } = await twoProjects()
    mkdirSync(join(mine, 'sub'))
    symlinkSync(theirs.root, join(mine, 'sub/out'))
    mkdirSync(join(mine, 'inner'))
    git(join(mine, 'inner'), 'init', '-q')
    git(join(mine, 'inner'), 'commit', '-q', '--allow-empty', '-m', 'x')
    const client = key('viewer')
    for (const path of ['sub/out', 'inner', 'nowhere'].map((it) => join(mine, it))) {
      await expect(client.call('runs.list', { project: path }), path).rejects.toMatchObject({ code: 'forbidden' })
      await expect(client.call('scanner.scan', { path }), path).rejects.toMatchObject({ code: 'forbidden' })
    }
    for (const project of [theirs.root, '/nowhere/theirs', `${mine}-7391`, '/']) {
      const message = `key:ci is viewer and may not see "${project}": this needs a key for that project.`
      await expect(client.call('runs.list', { project })).rejects.toMatchObject({ code: 'forbidden', message })
    }
    await expect(client.call('runs.list', { project: join(mine, 'sub') })).resolves.toBeDefined()
    await expect(client.call('runs.list', { project: 'mine' }), 'a relative path').rejects.toMatchObject({ code: 'invalid_input' })
  })
})

describe('a key, where programs of runs are not held by a sandbox,', () => {
  it('starts nothing, and tells no agent what to do, whatever the settings accept', async () => {
    const mine = makeRepository(TOY_FILES)
    const app = testApp(mine, { REEVE_SANDBOX__LEVEL: 'guarded' }).serve()
    const user = app.as({ actor: localUser('ada'), cwd: mine, env: null })
    const { runs } = await user.call('runs.submit', { sentence: 'Do it', workflow: 'asks' })
    const run = runs[0]?.id ?? ''
    for (const projects of [null, [mine]]) {
      const key = app.as({ actor: keyOf('operator', projects), cwd: null, env: null })
      const submit = { project: mine, sentence: 'Read all of it', workflow: 'fine' }
      await expect(key.call('runs.submit', { ...submit, autonomy: 'manual' })).rejects.toMatchObject({ code: 'isolation_too_low' })
      await expect(key.call('runs.restart', { run })).rejects.toMatchObject({ code: 'isolation_too_low' })
      const message = 'key:ci is operator and may not steer a run that is held at L1 guarded: this needs an admin of all projects.'
      for (const it of [key.call('runs.send', { run, text: 'Read all of it' }), key.call('runs.approve', { run })])
        await expect(it).rejects.toMatchObject({ code: 'forbidden', message })
      await expect(key.call('runs.resume', { run })).rejects.toMatchObject({ code: 'isolation_too_low' })
      expect(await key.call('runs.resume', { project: mine })).toEqual({ runs: [], skipped: [] })
    }
    expect((await user.call('runs.list', { all: true })).runs).toHaveLength(1)
    const { runs: held } = await app.as({ actor: keyOf('operator', null), cwd: null, env: null }).call('runs.list', { project: mine })
    expect(held[0]?.status, 'it may look').toBe('queued')
  })

  it('leads this machine to no other server by the commit it begins from', async () => {
    const mine = makeRepository(TOY_FILES)
    git(mine, 'checkout', '-qb', 'of-an-agent')
    const toml = `${TOY_FILES['reeve.toml']}\n[providers.inner]\nkind = "openai-compatible"\nbase_url = "http://127.0.0.1:9/admin"\nmodel = "m"\n`
    writeFiles(mine, { 'reeve.toml': toml })
    git(mine, 'commit', '-qam', 'another')
    git(mine, 'checkout', '-q', '-')
    git(mine, 'commit', '-q', '--allow-empty', '-m', 'later')
    const app = testApp(mine).serve()
    const submit = (actor: Actor, base: string) =>
      app.as({ actor, cwd: null, env: null }).call('runs.submit', { project: mine, sentence: 'Do it', workflow: 'fine', base })
    await expect(submit(keyOf('operator', [mine]), 'of-an-agent')).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('which sets other providers than the checkout: this needs an admin of all projects'),
    })
    await expect(submit(localUser('ada'), 'of-an-agent')).resolves.toBeDefined()
    await expect(submit(keyOf('operator', [mine]), 'HEAD~1').catch((error: ReeveError) => error.code)).resolves.not.toBe('forbidden')
  })

  it('30: holds nobody up with more runs to look at than there are', async () => {
    const mine = makeRepository(TOY_FILES)
    const app = testApp(mine).serve()
    const user = app.as({ actor: localUser('ada'), cwd: mine, env: null })
    const run = (await user.call('runs.submit', { sentence: 'Do it', workflow: 'fine' })).runs[0]?.id ?? ''
    const many = Array<string>(10_001).fill(run)
    expect(() => user.stream('runs.work', { runs: many })).toThrow('runs: must be at most 10000 items')
    let read = 0
    const store = await app.store()
    const findRun = store.findRun.bind(store)
    Object.assign(store, { findRun: (...asked: Parameters<typeof findRun>) => (read++, findRun(...asked)) })
    for await (const _ of user.stream('runs.work', { runs: many.slice(1) }));
    expect(read).toBe(1)
  })

  it('50: is not told the addresses of webhooks, which let in whoever knows them', async () => {
    const mine = makeRepository(TOY_FILES)
    const made = testApp(mine)
    writeFiles(join(made.home, 'reeve'), { 'config/config.toml': '[webhooks.chat]\nurl = "https://chat.example/T0/of-the-chat"\n' })
    const app = made.serve()
    const shown = async (actor: Actor) =>
      JSON.stringify(await app.as({ actor, cwd: null, env: null }).call('config.show', { project: mine }))
    expect(await shown(keyOf('operator', null))).not.toContain('of-the-chat')
    expect(await shown(keyOf('admin', null))).toContain('of-the-chat')
  })

  it('52: holds nobody up with a task file that takes long to read', async () => {
    const mine = makeRepository(TOY_FILES)
    const app = testApp(mine).serve()
    const documents = [
      { name: 'a.yaml', text: `#${' '.repeat(300_000)}` },
      { name: 'b.yaml', text: `#${' '.repeat(300_000)}` },
    ]
    const submit = (actor: Actor) => app.as({ actor, cwd: null, env: null }).call('runs.submit', { project: mine, documents })
    await expect(submit(keyOf('operator', null))).rejects.toMatchObject({ code: 'body_too_large' })
    await expect(submit(localUser('ada')), 'it is theirs').rejects.toMatchObject({ code: 'invalid_task' })
  })

  it('lifts no budget that the settings say, and may lower it', async () => {
    const mine = makeRepository({ ...TOY_FILES, 'reeve.toml': `${TOY_FILES['reeve.toml']}\n[runs]\nmax_usd = 2\n` })
    const app = testApp(mine).serve()
    const submit = (actor: Actor, max_usd: number) =>
      app.as({ actor, cwd: null, env: null }).call('runs.submit', { project: mine, sentence: 'Do it', workflow: 'fine', max_usd })
    await expect(submit(keyOf('operator', [mine]), 3)).rejects.toMatchObject({
      code: 'forbidden',
      message: 'key:ci is operator and may not lift runs.max_usd above 2: this needs an admin of all projects.',
    })
    await expect(submit(localUser('ada'), 3)).resolves.toBeDefined()
    await expect(submit(keyOf('operator', [mine]), 1).catch((error: ReeveError) => error.code)).resolves.not.toBe('forbidden')
  })
})

type Said = { answer: unknown } | { code: string; text: string }

async function answerOf(client: Client, it: Any, input: object): Promise<Said> {
  try {
    if (!('events' in it)) return { answer: await client.call(it.name as 'runs.get', input as never) }
    const events: unknown[] = []
    for await (const event of client.stream(it.name as 'runs.events', input as never, AbortSignal.timeout(100))) events.push(event)
    return { answer: events }
  } catch (error) {
    if (!(error instanceof ReeveError)) throw error
    return { code: error.code, text: `${error.message} ${JSON.stringify(error.details)}` }
  }
}
