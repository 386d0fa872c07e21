import { describe, expect, it, vi } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { providerSettings } from '../../test/support/provider.ts'
import { createPluginProvider, loadPluginModule } from './plugin.ts'

function load(module: string, files: Readonly<Record<string, string>>): Promise<unknown> {
  const project = temporaryFolder()
  writeFiles(project, files)
  return loadPluginModule('mine', providerSettings({ kind: 'plugin', module }), project)
}

describe('the module of a plug-in', () => {
  it('that is a package is found where the project would find it, also when it can only be imported', async () => {
    const found = await load('models-of-ours', {
      'node_modules/models-of-ours/package.json': '{"name":"models-of-ours","type":"module","exports":{"import":"./index.js"}}',
      'node_modules/models-of-ours/index.js': 'export const plugin = { kind: "provider" }\n',
    })
    expect(found).toEqual({ kind: 'provider' })
  })

  it('is named with what is wrong with it', async () => {
    await expect(load('not-installed', {})).rejects.toThrow(
      /providers\.mine\.module.*"not-installed" cannot be loaded: Cannot find package/,
    )
    await expect(load('./none.mjs', {})).rejects.toThrow(/"\.\/none\.mjs" cannot be loaded/)
    await expect(load('./other.mjs', { 'other.mjs': 'export const other = 1\n' })).rejects.toThrow(
      '"./other.mjs" exports nothing named "plugin"',
    )
  })
})

it('the module of a plug-in that is never loaded is waited for ten seconds', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const refused = expect(load('./slow.mjs', { 'slow.mjs': 'await new Promise(() => {})\nexport const plugin = 1\n' })).rejects.toThrow(
      '"./slow.mjs" cannot be loaded: it is still loading after 10 s',
    )
    await vi.advanceTimersByTimeAsync(11_000)
    await refused
  } finally {
    vi.useRealTimers()
  }
})

it('a plug-in that throws is a provider that cannot be used, not the end of a run', async () => {
  const create = () => {
    throw new TypeError('no such option')
  }
  const made = createPluginProvider({ kind: 'provider', create }, 'mine', providerSettings({ kind: 'plugin', module: 'm' }), {
    env: {},
    projectRoot: '/',
  })
  await expect(made).rejects.toMatchObject({ code: 'invalid_config', message: expect.stringContaining('has thrown: no such option') })
})
