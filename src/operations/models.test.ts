import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { testApp } from '../../test/support/app.ts'
import { temporaryFolder } from '../../test/support/folder.ts'
import { writeScriptedModel } from '../../test/support/gguf.ts'
import { providerSettings } from '../../test/support/provider.ts'
import { reeveFolders } from '../config/home.ts'
import { createLlamaCpp } from '../models/llamacpp/provider.ts'

function setUp() {
  const folder = temporaryFolder()
  const app = testApp(folder)
  writeScriptedModel(join(folder, 'tiny-coder.gguf'), 'Hello.', { context: 4096 })
  return { folder, app, client: app.open() }
}

it('remembers a model by its file, lists it with what the file says, and forgets it', async () => {
  const { folder, client } = setUp()
  const file = join(folder, 'tiny-coder.gguf')
  const { model } = await client.call('models.add', { file: 'tiny-coder.gguf' })
  expect(model).toMatchObject({ name: 'tiny-coder', file, architecture: 'llama', contextTokens: 4096 })
  expect(model.parameters).toBeGreaterThan(100_000)
  await client.call('models.add', { file, name: 'coder' })
  await client.call('models.add', { file, name: 'coder' })
  expect((await client.call('models.list', {})).models).toMatchObject([
    { name: 'coder', file, problem: null },
    { name: 'tiny-coder', problem: null },
  ])
  expect(await client.call('models.remove', { name: 'coder' })).toEqual({ name: 'coder', file })
  writeFileSync(file, 'no model any more')
  expect((await client.call('models.list', {})).models).toMatchObject([
    { name: 'tiny-coder', problem: `The model file "${file}" cannot be used: it is too short for a GGUF file.` },
  ])
})

it('is found by its name in settings', async () => {
  const { app, client } = setUp()
  await client.call('models.add', { file: 'tiny-coder.gguf', name: 'coder' })
  const { data: dataDir } = reeveFolders({ REEVE_HOME: join(app.home, 'reeve') })
  const settings = providerSettings({ kind: 'llamacpp', file: 'coder' })
  const provider = await createLlamaCpp('local', settings, { env: {}, projectRoot: '/', dataDir })
  expect(provider).toMatchObject({ model: 'scripted', capabilities: { contextTokens: 4096 } })
})

it('says what is wrong with a file, a name, or one that is taken', async () => {
  const { folder, client } = setUp()
  writeFileSync(join(folder, 'page.gguf'), '<html>'.padEnd(100))
  writeScriptedModel(join(folder, 'other model.gguf'), 'Hi.')
  const add = (file: string, name?: string) => client.call('models.add', { file, ...(name === undefined ? {} : { name }) })
  await expect(add('none.gguf')).rejects.toMatchObject({ code: 'file_not_found', exit: 4 })
  await expect(add('page.gguf')).rejects.toMatchObject({
    code: 'invalid_model',
    exit: 2,
    message: `The model file "${join(folder, 'page.gguf')}" cannot be used: it is no GGUF file (it begins with "<htm").`,
  })
  await expect(add('other model.gguf')).rejects.toThrow(
    '"other model" is no name of a model; letters, digits, ".", "_" and "-" are allowed, up to 64. Give one: --name <name>',
  )
  await add('tiny-coder.gguf')
  await expect(add('other model.gguf', 'tiny-coder')).rejects.toMatchObject({
    code: 'model_exists',
    hint: expect.stringContaining('reeve models remove tiny-coder') as string,
  })
  await expect(client.call('models.remove', { name: 'nobody' })).rejects.toThrow('No model "nobody". Added models: tiny-coder.')
})
