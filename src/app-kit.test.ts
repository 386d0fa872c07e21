import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../test/support/folder.ts'
import { createKits } from './app-kit.ts'
import { systemClock } from './core/clock.ts'
import { settingsSchema } from './core/settings.ts'
import { createSecrets } from './operations/secrets.ts'

it('25: one terminal does not get the way out and the tools of another one', async () => {
  const folder = temporaryFolder()
  const folders = { config: folder, state: folder, data: folder, cache: folder }
  const store = () => Promise.reject(new Error('no store is asked'))
  const kits = createKits({ folders, secrets: createSecrets({}), clock: systemClock, version: '1', templates: folder, store })
  onTestFinished(() => kits.close())
  const settings = settingsSchema.parse({ sandbox: { level: 'none' } })
  const plain = { PATH: '/usr/bin:/bin', HOME: folder }
  const sandboxOf = (env: Record<string, string>) => kits.of({ ...plain, ...env }).sandbox(settings)
  const envOf = async (env: Record<string, string>) => (await sandboxOf(env)).env({ home: join(folder, 'h') } as never, { kind: 'run' })
  const proxy = 'http://ada:secret@proxy.example:1'
  expect(await envOf({ HTTPS_PROXY: proxy, JAVA_HOME: '/a' })).toMatchObject({ HTTPS_PROXY: proxy, JAVA_HOME: '/a' })
  expect(await envOf({ JAVA_HOME: '/b' })).toMatchObject({ JAVA_HOME: '/b' })
  expect(await envOf({})).not.toHaveProperty('HTTPS_PROXY')
  expect(await sandboxOf({ WINDOWID: '1' }), 'measured once').toBe(await sandboxOf({ WINDOWID: '2' }))
})
