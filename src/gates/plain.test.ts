import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { settingsSchema } from '../core/settings.ts'
import { judgeCheckout, type PlainOptions } from './plain.ts'

const test = (name: string, expected: number): string =>
  `import assert from 'node:assert/strict'\nimport { test } from 'node:test'\nimport { add } from '../src/sum.js'\n\ntest('${name}', () => {\n  assert.equal(add(1, 2), ${expected})\n})\n`
const files = {
  'package.json': '{ "name": "sums", "type": "module", "scripts": { "test": "node --test" } }\n',
  'src/sum.js': 'export const add = (a, b) => a + b\n',
  'test/sum.test.js': test('adds', 3),
}

const judged = (path: string, parts: Partial<PlainOptions> = {}) =>
  judgeCheckout({
    path,
    settings: settingsSchema.parse({}),
    cacheDir: temporaryFolder(),
    timeoutMs: 60_000,
    signal: new AbortController().signal,
    depth: 'quick',
    ...parts,
  })
const findings = async (path: string, parts: Partial<PlainOptions> = {}) => {
  const verdict = await judged(path, parts)
  return [verdict.status, ...verdict.gates.flatMap((it) => it.findings.map((found) => `${found.attribution} ${found.rule}`))]
}

describe('judging a checkout without a run', () => {
  it('passes a clean checkout, and leaves it and its repository as they were', async () => {
    const root = makeRepository(files)
    const before = [
      git(root, 'status', '--porcelain'),
      git(root, 'rev-parse', 'HEAD'),
      readFileSync(join(root, '.git/index')).toString('base64'),
    ]
    expect(await judged(root)).toMatchObject({ status: 'passed', base: null })
    expect([
      git(root, 'status', '--porcelain'),
      git(root, 'rev-parse', 'HEAD'),
      readFileSync(join(root, '.git/index')).toString('base64'),
    ]).toEqual(before)
  })

  it('fails a clean checkout whose tests fail: nothing earlier excuses it', async () => {
    expect(await findings(makeRepository({ ...files, 'test/sum.test.js': test('adds', 4) }))).toEqual([
      'failed',
      'none test/sum.test.js > adds',
    ])
  })

  it('compares what is not committed with HEAD', async () => {
    const root = makeRepository({ ...files, 'test/old.test.js': test('is old', 99) })
    writeFiles(root, { 'src/sum.js': 'export const add = (a, b) => a - b\n' })
    expect(await findings(root)).toEqual(['failed', 'pre-existing test/old.test.js > is old', 'introduced test/sum.test.js > adds'])
  })

  it('compares everything with a base that is named', async () => {
    const root = makeRepository(files)
    writeFiles(root, {
      'src/sum.js': 'export const add = (a, b) => (a ?? 0) + (b ?? 0)\n',
      'test/new.test.js': test('adds nothing', 3).replace('add(1, 2)', 'add(3)'),
    })
    git(root, 'add', '-A')
    git(root, 'commit', '-qm', 'second')
    const verdict = await judged(root, { base: 'HEAD~1', kind: 'bugfix', depth: 'full' })
    expect(verdict).toMatchObject({
      redProof: { status: 'proved', red: ['test/new.test.js > adds nothing'] },
      base: git(root, 'rev-parse', 'HEAD~1'),
    })
  })

  it("lets a person change reeve's configuration", async () => {
    const root = makeRepository(files)
    writeFiles(root, { 'reeve.toml': '[project]\n' })
    expect(await findings(root)).toEqual(['passed'])
  })

  it('judges one folder of a repository', async () => {
    const root = makeRepository({
      'one/package.json': files['package.json'],
      'one/src/sum.js': files['src/sum.js'],
      'one/test/sum.test.js': files['test/sum.test.js'],
      'two/package.json': '{ "scripts": { "test": "exit 1" } }',
    })
    const verdict = await judged(join(root, 'one'))
    expect(verdict).toMatchObject({ status: 'passed' })
    expect(verdict.gates.filter((it) => it.command !== null).map((it) => `${it.name} in ${it.cwd}`)).toEqual(['tests in one'])
  })

  it('judges a folder that is in no repository', async () => {
    const root = temporaryFolder()
    writeFiles(root, files)
    expect(await judged(root)).toMatchObject({ status: 'passed', base: null })
  })

  it('says what is missing when there is nothing to run', async () => {
    await expect(judged(makeRepository({ 'a.txt': 'a' }))).rejects.toMatchObject({ code: 'no_gates' })
    await expect(judged(join(temporaryFolder(), 'nothing'))).rejects.toMatchObject({ code: 'file_not_found' })
    await expect(judged(makeRepository(files), { base: 'nowhere' })).rejects.toMatchObject({ code: 'unknown_revision' })
  })
})
