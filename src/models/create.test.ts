import { describe, expect, it } from 'vitest'
import { providerSettings } from '../../test/support/provider.ts'
import { createProvider } from './create.ts'

function make(settings: { [key: string]: string }, env: Record<string, string> = {}) {
  return createProvider('p', providerSettings(settings), { env, projectRoot: '/' })
}

describe('making a provider', () => {
  const keys: [kind: string, variable: string][] = [
    ['anthropic', 'ANTHROPIC_API_KEY'],
    ['openai', 'OPENAI_API_KEY'],
    ['google', 'GOOGLE_GENERATIVE_AI_API_KEY'],
  ]
  it.each(keys)('%s wants a key in %s', async (kind, variable) => {
    await expect(make({ kind, model: 'm' })).rejects.toThrow(
      `Provider "p" needs a key in the environment variable ${variable}, which is not set.`,
    )
    await expect(make({ kind, model: 'm' }, { [variable]: ' ' })).rejects.toMatchObject({ code: 'provider_key_missing' })
    await expect(make({ kind, model: 'm' }, { [variable]: 'k' })).resolves.toMatchObject({ name: 'p', model: 'm' })
  })

  it('takes the other usual name of the Google key', async () => {
    await expect(make({ kind: 'google', model: 'm' }, { GEMINI_API_KEY: 'k' })).resolves.toMatchObject({ model: 'm' })
  })

  it('looks for the configured variable only', async () => {
    const settings = { kind: 'anthropic', model: 'm', api_key_env: 'TEAM_KEY' }
    await expect(make(settings, { ANTHROPIC_API_KEY: 'k' })).rejects.toThrow('environment variable TEAM_KEY, which is not set')
    await expect(make(settings, { TEAM_KEY: 'k' })).resolves.toMatchObject({ name: 'p' })
  })

  it('needs no key for an openai-compatible server, unless one is configured', async () => {
    const settings = { kind: 'openai-compatible', base_url: 'http://127.0.0.1:1/v1', model: 'm' }
    await expect(make(settings)).resolves.toMatchObject({ name: 'p' })
    await expect(make({ ...settings, api_key_env: 'K' })).rejects.toThrow('environment variable K, which is not set')
  })

  it('refuses addresses and headers that cannot work, before any request', async () => {
    const settings = { kind: 'openai-compatible', model: 'm' }
    const table: [string, string][] = [
      ['ftp://x/v1', 'providers.p.base_url: "ftp://" is not supported; http:// and https:// are'],
      ['https://me:secret@x/v1', 'providers.p.base_url: it holds a name or a password'],
      ['https://x/v1?key=1', 'providers.p.base_url: it may not end in'],
    ]
    for (const [base_url, problem] of table) await expect(make({ ...settings, base_url })).rejects.toThrow(problem)
    const broken = createProvider('p', providerSettings({ ...settings, base_url: 'http://x/v1', headers: { 'x run': '{run}' } }), {
      env: {},
      projectRoot: '/',
    })
    await expect(broken).rejects.toThrow('providers.p.headers: "x run" is not a name of a header')
  })

  it('says which setting is missing', async () => {
    await expect(make({ kind: 'openai-compatible', model: 'm' })).rejects.toThrow('providers.p.base_url: a provider of kind')
    await expect(make({ kind: 'openai' }, { OPENAI_API_KEY: 'k' })).rejects.toThrow(
      'providers.p.model: a provider of kind "openai" needs the name of a model',
    )
  })
})
