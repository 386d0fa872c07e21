import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import type { Client } from '../client/client.ts'
import { localUser } from '../core/actor.ts'
import type { Workflow } from '../engine/port.ts'

const KEY = 'sk-secret-0123456789abcdef'

/** A run whose workspace is this folder; absent: one whose workspace is gone. */
async function setUp(workspace = '') {
  const project = makeRepository({ ...TOY_FILES, 'src/sum.mjs': 'export const sum = 1\n', '.env': 'A=1\n' })
  const app = testApp(
    project,
    {},
    {
      works: async (run) => {
        await run.step({ name: 'workspace', kind: 'workspace', input: null }, async (step) => {
          step.fact({ workspace, base: git(project, 'rev-parse', 'HEAD') })
          return null
        })
        return { status: 'succeeded' }
      },
    },
  )
  const client = app.open()
  const { runs } = await client.call('runs.submit', { sentence: 'Do it', workflow: 'works' })
  const run = runs[0]?.id ?? ''
  for await (const _ of client.stream('runs.work', { runs: [run] }));
  return { client, run, project }
}

async function refusal(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'nothing was refused',
    (error: Error) => error.message,
  )
}

const read = (client: Client, run: string, path: string) => client.call('workspace.read', { run, path })

it('lists and reads the files of a workspace as they are now, without what may hold secrets', async () => {
  const folder = temporaryFolder()
  writeFiles(folder, { 'a.txt': 'hello\n', 'src/new.ts': 'x\n', '.env': `KEY=${KEY}\n`, 'node_modules/p/i.js': '', '.git/config': '' })
  const { client, run } = await setUp(folder)
  expect(await client.call('workspace.tree', { run })).toEqual({
    run,
    at: 'workspace',
    path: '',
    files: ['a.txt', 'src/new.ts'],
    complete: true,
  })
  expect((await client.call('workspace.tree', { run, path: 'src' })).files).toEqual(['src/new.ts'])
  expect(await read(client, run, 'a.txt')).toEqual({ run, at: 'workspace', path: 'a.txt', text: 'hello\n', characters: 6, next: null })
  expect(await refusal(read(client, run, '.env'))).toBe('The path ".env" is refused: such files may hold secrets (files.forbidden: .env).')
  expect(await refusal(read(client, run, 'gone.txt'))).toBe('No file "gone.txt".')
})

it('leads nowhere outside of the workspace', async () => {
  const outside = temporaryFolder()
  writeFileSync(join(outside, 'secret.txt'), 'secret')
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'real'))
  symlinkSync(outside, join(folder, 'link'))
  symlinkSync(join(outside, 'secret.txt'), join(folder, 'file-link'))
  const { client, run } = await setUp(folder)
  expect((await client.call('workspace.tree', { run })).files).toEqual([])
  for (const path of ['../secret.txt', join(outside, 'secret.txt'), 'link/secret.txt', 'file-link', 'real/../../x', '.GIT/config', 'a\0b'])
    expect(await refusal(read(client, run, path)), path).toMatch(/is refused|No file/)
  for (const path of ['..', '/', 'link', '.git']) {
    expect(await refusal(client.call('workspace.tree', { run, path })), path).toMatch(/is refused|No file/)
  }
})

it('gives a long file in parts, and nothing of one that is no text', async () => {
  const folder = temporaryFolder()
  const long = Array.from({ length: 60_000 }, (_, at) => `line ${at}`).join('\n')
  writeFiles(folder, { 'long.txt': long, 'picture.bin': 'a\0b' })
  const { client, run } = await setUp(folder)
  let text = ''
  for (let offset: number | null = 0; offset !== null; ) {
    const part: Awaited<ReturnType<typeof read>> = await client.call('workspace.read', { run, path: 'long.txt', offset })
    expect(part.text?.length).toBeLessThanOrEqual(256 * 1024)
    text += part.text ?? ''
    offset = part.next
  }
  expect(text === long).toBe(true)
  expect(await read(client, run, 'picture.bin')).toMatchObject({ text: null, next: null })
})

it('answers from the last commit where the workspace is gone', async () => {
  const { client, run, project } = await setUp('/nowhere/at/all')
  const commit = git(project, 'rev-parse', 'HEAD')
  expect(await client.call('workspace.tree', { run, path: 'src' })).toMatchObject({ at: commit, files: ['src/sum.mjs'] })
  expect(await read(client, run, 'src/sum.mjs')).toMatchObject({ at: commit, text: 'export const sum = 1\n' })
  expect(await refusal(read(client, run, '.env'))).toContain('files.forbidden')
  expect(await refusal(read(client, run, 'src/other.mjs'))).toBe('No file "src/other.mjs".')
})

it('50: shows a key of a program no secret of a change, and the person at this machine the change as it is', async () => {
  const project = makeRepository(TOY_FILES)
  const base = git(project, 'rev-parse', 'HEAD')
  writeFiles(project, { 'a.txt': `key = ${KEY}\n` })
  git(project, 'add', '-A')
  git(project, 'commit', '-qm', 'a')
  const commit = git(project, 'rev-parse', 'HEAD')
  const works: Workflow = async (run) => {
    await run.step({ name: 'workspace', kind: 'workspace', input: null }, async (step) => {
      step.fact({ base, commit })
      return null
    })
    return { status: 'succeeded' }
  }
  const app = testApp(project, {}, { works }).serve()
  const user = app.as({ actor: localUser('ada'), cwd: project, env: null })
  const { runs } = await user.call('runs.submit', { sentence: 'Do it', workflow: 'works' })
  const run = runs[0]?.id ?? ''
  for await (const _ of user.stream('runs.work', { runs: [run] }));
  const key = app.as({ actor: { kind: 'key', name: 'key:ci', role: 'viewer', projects: null }, cwd: null, env: null })
  expect((await user.call('runs.diff', { run })).patch).toContain(`+key = ${KEY}`)
  expect((await key.call('runs.diff', { run })).patch).toContain('+key = [redacted]')
})
