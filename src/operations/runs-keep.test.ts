import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { TOY_CONFIG, TOY_FILES, testApp } from '../../test/support/app.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { verdict } from '../../test/support/run-workflow.ts'
import type { Client } from '../client/client.ts'
import { openStore } from '../store/open.ts'

async function ended(files: Record<string, string>, workflow: string) {
  const project = makeRepository({ ...TOY_FILES, ...files })
  const app = testApp(project)
  const client = app.open()
  const { runs } = await client.call('runs.submit', { sentence: 'Do it', workflow, kind: 'docs' })
  const id = runs[0]?.id ?? ''
  await work(client, id)
  return { project, client, id, data: join(app.home, 'reeve/data'), state: join(app.home, 'reeve/state') }
}

async function work(client: Client, id: string): Promise<void> {
  for await (const _ of client.stream('runs.work', { runs: [id] })) continue
}

it('cleans what a run left whose setup failed', async () => {
  const { project, client, id, data } = await ended({ 'reeve.toml': `[project]\nsetup = ["false"]\n${TOY_CONFIG}` }, 'direct')
  expect(await client.call('runs.get', { run: id })).toMatchObject({ status: 'failed', reason: 'error' })
  expect(existsSync(join(data, 'runs', id)), 'the setup had begun').toBe(true)
  expect((await client.call('runs.clean', {})).cleaned).toEqual([id])
  expect(existsSync(join(data, 'runs', id))).toBe(false)
  expect(git(project, 'worktree', 'list').split('\n')).toHaveLength(1)
  expect(git(project, 'for-each-ref', 'refs/heads/auto', 'refs/reeve/base')).toBe('')
  expect((await client.call('runs.clean', {})).cleaned, 'once').toEqual([])
})

it('lists what was kept of a run whose workspace is gone', async () => {
  const { client, id, data } = await ended({}, 'direct')
  const before = (await client.call('runs.rescue', { run: id })).attempts
  expect(before.length).toBeGreaterThan(0)
  rmSync(join(data, 'runs', id), { recursive: true })
  expect((await client.call('runs.rescue', { run: id })).attempts).toEqual(before)
})

it('does not take a verdict about other files for one about what would land', async () => {
  const { project, client, id, state } = await ended({}, 'fine')
  const store = await openStore(state)
  onTestFinished(() => store.close())
  git(project, 'checkout', '-q', '--detach')
  git(project, 'commit', '-q', '--allow-empty', '-m', 'Unjudged')
  const commit = git(project, 'rev-parse', 'HEAD')
  const base = git(project, 'rev-parse', 'HEAD~1')
  git(project, 'checkout', '-q', 'main')
  const facts = { commit, base, branch: 'auto/x/y' }
  await store.setFacts(id, null, { ...facts, verdict: verdict('passed', { tree: git(project, 'rev-parse', 'HEAD:replies.yaml') }) })
  await expect(client.call('runs.land', { run: id })).rejects.toThrow('has a not_run verdict, so it does not land')
  const forced = await client.call('runs.land', { run: id, how: 'squash', force: true })
  expect(forced).toMatchObject({ forced: true, verdict: 'not_run' })
  expect(git(project, 'log', '-1', '--format=%B', 'main')).toContain('Reeve-Verdict: not_run (landed with --force)')

  await store.setFacts(id, null, { verdict: verdict('passed', { tree: git(project, 'rev-parse', 'HEAD^{tree}') }) })
  expect(await client.call('runs.land', { run: id })).toMatchObject({ forced: false, verdict: 'passed' })
})
