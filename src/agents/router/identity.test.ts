import { expect, it } from 'vitest'
import { providerSettings } from '../../../test/support/provider.ts'
import type { Json } from '../../core/json.ts'
import { accountKey, providerKey } from './identity.ts'

const of = (over: { [key: string]: Json } = {}, env = { MY_KEY: 'one' }) => {
  const settings = providerSettings({ kind: 'openai', model: 'm', ...over })
  return { account: accountKey('p', settings, env), provider: providerKey('p', settings, env) }
}

it('an account is where a key leads to: whatever else is set, limits are shared by those that reach the same place by the same key', () => {
  const { account } = of()
  expect(of({ model: 'other', max_tokens: 9, max_concurrent: 2 }).account).toBe(account)
  const others = [
    of({ base_url: 'https://models.example/v1' }),
    of({ api_key_env: 'MY_KEY' }),
    of({ api_key_env: 'MY_KEY' }, { MY_KEY: 'two' }),
    of({ api_key_file: '~/keys/one' }),
    of({ api_key_file: '~/keys/two' }),
    of({ kind: 'claude', login: true }),
  ]
  expect(new Set([account, ...others.map((it) => it.account)]).size).toBe(7)
  expect(of({ account: 'team', base_url: 'https://models.example/v1' }).account).toBe('team')
})

it('what was wrong with a provider does not count for it with other settings or another key, and its key is not told', () => {
  const key = 'a-key-that-is-long-enough'
  const keys = [of(), of({ model: 'other' }), of({ api_key_env: 'MY_KEY' }), of({ api_key_env: 'MY_KEY' }, { MY_KEY: key })]
  expect(new Set(keys.map((it) => it.provider)).size).toBe(4)
  for (const it of keys) expect(it.provider).toMatch(/^p#[0-9a-f]{10}$/)
})
