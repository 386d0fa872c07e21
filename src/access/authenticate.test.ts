import { expect, it } from 'vitest'
import { localUser } from '../core/actor.ts'
import type { ApiKey } from '../store/keys.ts'
import { makeKey } from './api-key.ts'
import { createAuthenticate, type RefusedTry } from './authenticate.ts'

const TOKEN = 't'.repeat(43)
const clock = { time: 1_790_000_000_000, now: () => clock.time, sleep: () => Promise.resolve() }

function setUp(state: ApiKey['state'] = 'live') {
  const made = makeKey()
  const key: ApiKey = {
    id: made.id,
    name: 'ci',
    role: 'operator',
    projects: ['/p'],
    createdAt: 0,
    createdBy: 'ada',
    expiresAt: null,
    lastUsedAt: null,
    state,
  }
  const used: string[] = []
  const refused: RefusedTry[] = []
  const authenticate = createAuthenticate({
    token: TOKEN,
    user: 'ada',
    clock,
    keys: {
      findKey: async (id) => (id === made.id ? { key, digest: made.digest } : null),
      keyUsed: async (id) => void used.push(id),
    },
    onRefused: (it) => void refused.push(it),
  })
  return { made, used, refused, authenticate }
}

it('knows the owner of the daemon by its token, and a program by its key', async () => {
  const { made, used, authenticate } = setUp()
  expect(await authenticate(`Bearer ${TOKEN}`, 'socket')).toEqual(localUser('ada'))
  expect(await authenticate(`bearer ${made.value}`, 'tcp')).toEqual({
    kind: 'key',
    name: 'key:ci',
    id: made.id,
    role: 'operator',
    projects: ['/p'],
  })
  expect(used).toEqual([made.id])
})

it('knows nobody else: 44', async () => {
  const { made, used, refused, authenticate } = setUp()
  const other = made.value.endsWith('A') ? 'E' : 'A'
  const wrong = [
    null,
    '',
    'Bearer',
    'Bearer ',
    TOKEN,
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}t`,
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer  ${TOKEN}`,
    `Bearer ${made.value.slice(0, -1)}${other}`,
    `Bearer ${makeKey().value}`,
    `Bearer ${made.digest}`,
  ]
  for (const it of wrong) expect(await authenticate(it, 'tcp', '127.0.0.1'), String(it)).toBeNull()
  expect(used).toEqual([])
  expect(refused, 'all but who brought nothing').toHaveLength(wrong.length - 1)
  expect(JSON.stringify(refused), 'nothing of what was tried is told').not.toContain(made.value.slice(12, -1))
})

it('takes the token of the daemon from this machine only, and keys from everywhere', async () => {
  const { made, refused, authenticate } = setUp()
  expect(await authenticate(`Bearer ${TOKEN}`, 'tcp', '127.0.0.1')).toEqual(localUser('ada'))
  expect(await authenticate(`Bearer ${TOKEN}`, 'tcp', '::ffff:127.0.0.1')).toEqual(localUser('ada'))
  expect(await authenticate(`Bearer ${TOKEN}`, 'tcp', '10.0.0.7')).toBeNull()
  expect(refused).toEqual([{ via: 'tcp', from: '10.0.0.7', key: null, problem: 'the token is for this machine only' }])
  expect(await authenticate(`Bearer ${made.value}`, 'tcp', '10.0.0.7')).toMatchObject({ kind: 'key' })
})

it.each(['expired', 'revoked'] as const)('does not let a key in that is %s, and says which it was', async (state) => {
  const { made, refused, authenticate } = setUp(state)
  expect(await authenticate(`Bearer ${made.value}`, 'tcp')).toBeNull()
  expect(refused).toEqual([{ via: 'tcp', from: 'tcp', key: made.id, problem: `the key is ${state}` }])
})

it('holds up whoever guesses, and never who is right', async () => {
  const { made, authenticate } = setUp()
  const guess = (from: string) => authenticate(`Bearer ${'x'.repeat(43)}`, 'tcp', from)
  for (let at = 0; at < 20; at++) expect(await guess('10.0.0.1')).toBeNull()
  await expect(guess('10.0.0.1')).rejects.toMatchObject({ code: 'too_many_requests', details: { seconds: 60 } })
  expect(await guess('10.0.0.2'), 'others are not held up').toBeNull()
  expect(await authenticate(`Bearer ${TOKEN}`, 'tcp')).toEqual(localUser('ada'))
  expect(await authenticate(`Bearer ${made.value}`, 'tcp', '10.0.0.1'), 'from the same address').toMatchObject({ kind: 'key' })
  clock.time += 60_000
  expect(await guess('10.0.0.1')).toBeNull()
})

it('lets a key in when its use cannot be written', async () => {
  const made = makeKey()
  const key: ApiKey = { ...({} as ApiKey), id: made.id, name: 'ci', role: 'viewer', projects: null, state: 'live' }
  const keys = { findKey: async () => ({ key, digest: made.digest }), keyUsed: () => Promise.reject(new Error('disk full')) }
  const authenticate = createAuthenticate({ token: TOKEN, user: 'ada', clock, keys })
  expect(await authenticate(`Bearer ${made.value}`, 'tcp')).toMatchObject({ name: 'key:ci' })
})
