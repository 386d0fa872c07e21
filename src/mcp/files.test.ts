import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { legacyHost } from '../../test/support/mcp.ts'
import { git, makeRepository } from '../../test/support/repository.ts'

/** A run that has changed `a.txt` and added `b/c.txt`, and a host that looks at it. */
async function setUp() {
  const project = makeRepository({ ...TOY_FILES, 'a.txt': 'old\n' })
  const base = git(project, 'rev-parse', 'HEAD')
  writeFiles(project, { 'a.txt': 'new\n', 'b/c.txt': 'more\n' })
  git(project, 'add', '-A')
  git(project, 'commit', '-q', '-m', 'Change')
  const commit = git(project, 'rev-parse', 'HEAD')
  const workspace = temporaryFolder()
  writeFiles(workspace, { 'a.txt': 'new \u202e\u001b[31m\n', '.env': 'KEY=1\n', 'long.txt': 'x'.repeat(70_000) })
  const client = testApp(
    project,
    {},
    {
      works: async (run) => {
        await run.step({ name: 'workspace', kind: 'workspace', input: null }, async (step) => {
          step.fact({ workspace, base, commit })
          return null
        })
        return { status: 'succeeded' }
      },
    },
  ).open()
  const { runs } = await client.call('runs.submit', { sentence: 'Do it', workflow: 'works' })
  const runId = runs[0]?.id ?? ''
  for await (const _ of client.stream('runs.work', { runs: [runId] }));
  const host = await legacyHost(client)
  const look = async (args: object) => {
    const result = await host.callTool({ name: 'ai_coder_workspace', arguments: { runId, ...args } })
    return result.structuredContent as { text: string; next?: number; files?: string[]; changes?: object[]; error?: { code: string } }
  }
  return { look, workspace }
}

it('shows a model the files of a run, its diff and their text, in parts and made harmless', async () => {
  const { look, workspace } = await setUp()
  expect((await look({})).files, 'the list is what is asked for most').toEqual(['a.txt', 'long.txt'])
  expect((await look({ operation: 'list' })).files).toEqual(['a.txt', 'long.txt'])
  expect((await look({ op: 'read', path: 'a.txt' })).text).toBe(
    'new <U+202E><U+001B>[31m\n\n(2 invisible or control characters are shown above as <U+...>; in the text itself stands the character.)',
  )
  const first = await look({ op: 'read', path: 'long.txt' })
  const second = await look({ op: 'read', path: 'long.txt', offset: first.next })
  expect([first.text.length + second.text.length, second.next]).toEqual([70_000, undefined])

  const diff = await look({ op: 'diff' })
  expect(diff.changes).toMatchObject([
    { path: 'a.txt', status: 'modified' },
    { path: 'b/c.txt', status: 'added' },
  ])
  expect(diff.text).toMatch(/-old\n\+new\n[^]*\+more\n/)
  const part = await look({ op: 'diff', path: 'b' })
  expect([part.changes?.length, part.text.includes('+more'), part.text.includes('+new')]).toEqual([1, true, false])

  writeFileSync(join(workspace, 'picture.png'), 'a\0b')
  for (const [args, code] of [
    [{ op: 'read' }, 'invalid_input'],
    [{ op: 'read', path: '../../etc/passwd' }, 'path_refused'],
    [{ op: 'read', path: '/etc/passwd' }, 'path_refused'],
    [{ op: 'read', path: '.git/config' }, 'path_refused'],
    [{ op: 'read', path: '.env' }, 'path_refused'],
    [{ op: 'read', path: 'picture.png' }, 'path_refused'],
    [{ op: 'read', path: 'nothing.txt' }, 'file_not_found'],
    [{ op: 'write', path: 'a.txt' }, 'invalid_input'],
    [{ operation: 'delete' }, 'invalid_input'],
  ] as const)
    expect((await look(args)).error?.code, JSON.stringify(args)).toBe(code)
})
