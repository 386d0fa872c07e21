import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { providerSettings } from '../../test/support/provider.ts'
import { withKeyFile } from './key-file.ts'

function scene(text: string, mode = 0o600) {
  const home = temporaryFolder()
  writeFiles(home, { key: text })
  chmodSync(join(home, 'key'), mode)
  const provider = providerSettings({ kind: 'openai', model: 'm', api_key_file: '~/key' })
  return withKeyFile('gpt', provider, { HOME: home, OTHER: 'x' })
}

it('is a key like one of the environment', async () => {
  const { provider, env, secret } = await scene('sk-one-two\n')
  expect(secret).toBe('sk-one-two')
  expect(env[provider.api_key_env ?? '']).toBe('sk-one-two')
  expect(env['OTHER']).toBe('x')
})

it('is refused where others may read it, where it is missing, empty, too large or nowhere in particular', async () => {
  await expect(scene('k', 0o644)).rejects.toThrow(
    'providers.gpt.api_key_file: "~/key" can be read by others; only you may: chmod 600 ~/key',
  )
  await expect(scene(' \n')).rejects.toThrow('"~/key" is empty')
  await expect(scene('k'.repeat(20_000))).rejects.toThrow('"~/key" is too large for a key')
  const at = (api_key_file: string) =>
    withKeyFile('gpt', providerSettings({ kind: 'openai', model: 'm', api_key_file }), { HOME: '/nowhere' })
  await expect(at('~/none')).rejects.toThrow('there is no file "~/none"')
  await expect(at('keys/one')).rejects.toThrow('"keys/one" is not absolute')
})
