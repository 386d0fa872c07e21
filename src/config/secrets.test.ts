import { expect, it } from 'vitest'
import { settingsSchema } from '../core/settings.ts'
import { secretValues } from './secrets.ts'

it('knows keys, telling headers and the password of the proxy, as it is and as it stands in the address', () => {
  const settings = settingsSchema.parse({
    providers: {
      a: { kind: 'openai', api_key_env: 'A_KEY', secrets_env: ['MORE'] },
      b: { kind: 'ollama', headers: { 'x-team': 'payments', authorization: 'Bearer of-b' } },
    },
    network: { proxy: 'http://me:pass%2Fword@proxy.test:3128' },
  })
  expect(secretValues(settings, { A_KEY: 'of-a', MORE: 'more' })).toEqual([
    'of-a',
    'more',
    'Bearer of-b',
    'of-b',
    'pass%2Fword',
    'pass/word',
  ])
  expect(secretValues(settingsSchema.parse({ network: { proxy: 'http://proxy.test' } }), {})).toEqual([])
})
