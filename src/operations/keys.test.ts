import { expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { makeRepository } from '../../test/support/repository.ts'
import { cli } from '../../test/support/terminal.ts'
import { createAuthenticate } from '../access/authenticate.ts'
import { systemClock } from '../core/clock.ts'
import { createStillLive } from './still-live.ts'

async function setUp() {
  const project = makeRepository(TOY_FILES)
  const app = testApp(project)
  const client = app.open()
  const store = await app.serve().store()
  const authenticate = createAuthenticate({ token: 't'.repeat(43), user: 'ada', keys: store.access, clock: systemClock })
  return { project, app, client, store, who: (value: string) => authenticate(`Bearer ${value}`, 'tcp') }
}

it('makes a key that lets its program in, for its projects and until it is revoked', async () => {
  const { project, client, who } = await setUp()
  const { key, value } = await client.call('keys.add', { name: 'ci', role: 'operator', expires: '30d' })
  expect(value).toMatch(/^rv_[0-9a-z]{8}_[\w-]{43}$/)
  expect(key).toMatchObject({ name: 'ci', role: 'operator', projects: [project], state: 'live', lastUsedAt: null })
  expect((key.expiresAt ?? 0) - key.createdAt).toBe(30 * 86_400_000)
  expect(await who(value)).toEqual({ kind: 'key', name: 'key:ci', id: key.id, role: 'operator', projects: [project] })

  const { keys } = await client.call('keys.list', {})
  expect(keys).toMatchObject([{ id: key.id, lastUsedAt: expect.any(Number) as number }])
  expect(JSON.stringify(keys), 'shown once').not.toContain(value.slice(12))
  expect((await client.call('keys.revoke', { key: 'ci' })).key.state).toBe('revoked')
  expect(await who(value)).toBeNull()
  expect(await client.call('keys.list', {})).toEqual({ keys: [] })
  expect((await client.call('keys.list', { all: true })).keys).toMatchObject([{ id: key.id, state: 'revoked' }])
})

it('ends the streams that a key has open, too: no event comes after it is revoked', async () => {
  const { client, store } = await setUp()
  const { key } = await client.call('keys.add', { name: 'ci' })
  const clock = { time: 0, now: () => clock.time, sleep: () => Promise.resolve() }
  const mustBeLive = createStillLive({ caller: { ...key, kind: 'key', name: 'key:ci' }, clock, store: async () => store })
  await client.call('keys.revoke', { key: 'ci' })
  await mustBeLive()
  clock.time += 2000
  await expect(mustBeLive()).rejects.toMatchObject({ code: 'unauthorized', message: 'The caller is not known: its key is revoked.' })
})

it('keeps nothing in the store that would let anybody in', async () => {
  const { client, store } = await setUp()
  const { key, value } = await client.call('keys.add', { name: 'ci' })
  const kept = await store.access.findKey(key.id)
  expect(kept?.digest).toMatch(/^[\w-]{43}$/)
  expect(JSON.stringify(kept)).not.toContain(value.slice(12))
})

it('refuses keys that are for nothing, for too much, or there already, and says so', async () => {
  const { client } = await setUp()
  const add = (more: object) => client.call('keys.add', { name: 'ci', ...more })
  await expect(add({ role: 'admin' })).rejects.toThrow('a key of the role admin is for all projects')
  await expect(add({ all_projects: true, projects: ['/'] })).rejects.toThrow('for the named projects or for all of them; say one')
  await expect(add({ projects: ['/'] })).rejects.toMatchObject({ code: 'not_a_repository' })
  await expect(add({ expires: '0d' })).rejects.toThrow('allowed: 12h, 30d, 8w and the like up to 3650d, or never')
  await expect(add({ expires: 'soon' })).rejects.toThrow('expires is "soon"')
  await expect(add({ name: 'a b' })).rejects.toThrow('letters, digits')
  expect((await add({ role: 'admin', all_projects: true, expires: 'never' })).key).toMatchObject({ projects: null, expiresAt: null })
  await expect(add({})).rejects.toThrow('there is a live key "ci" already')
  await expect(client.call('keys.revoke', { key: 'cd' })).rejects.toMatchObject({ code: 'key_not_found', exit: 4 })
})

it('revokes the live one of a name that was given twice, also by id', async () => {
  const { client } = await setUp()
  const first = (await client.call('keys.add', { name: 'ci' })).key
  await client.call('keys.revoke', { key: first.id })
  const second = (await client.call('keys.add', { name: 'ci' })).key
  expect((await client.call('keys.revoke', { key: 'ci' })).key.id).toBe(second.id)
  await expect(client.call('keys.revoke', { key: first.id })).rejects.toMatchObject({ code: 'key_not_found' })
})

it('shows a key once on the command line, and lists the others without it', async () => {
  const { project, app } = await setUp()
  const reeve = (...argv: string[]) => cli(argv, { cwd: project, client: app.open(), columns: 120 })
  expect((await reeve('keys', 'list')).err).toContain('Make one: reeve keys add <name>')
  const { exit, out, err } = await reeve('keys', 'add', 'ci', '--role', 'operator', '--project', '.', '--expires', '30d')
  expect(exit, err).toBe(0)
  expect(out, 'TOKEN=$(reeve keys add ci)').toMatch(/^rv_\S+\n$/)
  const value = out.trim()
  expect(err).toMatch(/^ci \([0-9a-z]{8}\): operator of .*project, until \d{4}-\d\d-\d\d\.\n/)
  expect(err).toContain('This is the only time that it is shown.')
  const listed = await reeve('keys', 'list')
  expect(listed.out).toMatch(/^ID +NAME +ROLE +EXPIRES +USED +PROJECTS\n[0-9a-z]{8} +ci +operator +\d{4}-\d\d-\d\d +never +\//)
  expect(listed.out).not.toContain(value.slice(12))
  expect((await reeve('keys', 'revoke', 'ci')).out).toContain('is revoked: nobody gets in with it any more.')
})
