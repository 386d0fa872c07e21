import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { settingsSchema } from '../core/settings.ts'
import { scanRepository } from './scan.ts'

function scan(path: string, targetDir = '.') {
  return scanRepository({ path, targetDir, env: { PATH: process.env['PATH'] ?? '' } })
}

describe('a scan', () => {
  it('says languages, frameworks, package managers, tests and commands of a TypeScript project', async () => {
    const root = makeRepository({
      'package.json':
        '{"name":"shop","scripts":{"test":"vitest run"},"dependencies":{"hono":"4"},"devDependencies":{"vitest":"5","typescript":"6"}}',
      'package-lock.json': '{}',
      'tsconfig.json': '{}',
      'src/größe.ts': 'export const a = 1\nexport const b = 2\n',
      'src/größe.test.ts': "import { it } from 'vitest'\n",
      'scripts/run': '#!/bin/sh\nexit 0\n',
      'README.md': '# Shop\n',
      'logo.png': 'x',
    })
    const found = await scan(root)
    expect(found.languages).toEqual([
      { name: 'TypeScript', files: 2, lines: 3, percent: 60 },
      { name: 'Shell', files: 1, lines: 2, percent: 40 },
    ])
    expect(found.frameworks).toEqual([{ name: 'hono', reason: 'package.json: hono in dependencies' }])
    expect(found.packageManagers).toEqual([
      { name: 'npm', manifest: 'package.json', lockfile: 'package-lock.json', reason: 'package.json with package-lock.json' },
    ])
    expect(found.tests).toEqual({
      frameworks: [{ name: 'vitest', reason: 'package.json: vitest in devDependencies' }],
      files: ['src/größe.test.ts'],
      layout: '1 test file: 1 beside the code (*.test.ts).',
    })
    expect(found.commands.map((it) => [it.gate, it.tool])).toContainEqual(['tests', 'vitest'])
    expect(found.commands.every((it) => it.reason !== '')).toBe(true)
    expect(found.files).toBe(7)
    expect(found.skipped).toEqual([{ path: 'logo.png', reason: 'binary' }])
    expect(found.durationMs).toBeGreaterThanOrEqual(0)
  })

  it('describes a package of a monorepo by itself and the files above it', async () => {
    const root = makeRepository({
      'package.json': '{"workspaces":["packages/*"],"devDependencies":{"vitest":"5"}}',
      'pnpm-lock.yaml': '',
      'packages/web/package.json': '{"dependencies":{"react":"19"}}',
      'packages/web/src/a.tsx': 'export const A = 1\n',
      'packages/api/package.json': '{"dependencies":{"express":"5"}}',
      'packages/api/src/a.js': 'exports.a = 1\n',
    })
    const web = await scan(root, 'packages/web')
    expect(web.languages.map((it) => it.name)).toEqual(['TypeScript'])
    expect(web.frameworks.map((it) => it.name)).toEqual(['react'])
    expect(web.packageManagers.map((it) => [it.name, it.lockfile])).toEqual([['pnpm', 'pnpm-lock.yaml']])
    expect(web.tests.frameworks.map((it) => it.name)).toEqual(['vitest'])
    expect(web.files).toBe(2)

    const all = await scan(root)
    expect(all.frameworks.map((it) => it.name)).toEqual(['react', 'express'])
    expect(all.files).toBe(6)
  })

  it('is not misled by the manifests of examples and fixtures', async () => {
    const root = makeRepository({
      'Cargo.toml': '[package]\nname = "x"\n[dependencies]\naxum = "1"\n',
      'src/lib.rs': '#[cfg(test)]\nmod tests {}\n',
      'examples/web/package.json': '{"dependencies":{"react":"19"}}',
      'tests/fixtures/py/pyproject.toml': '[project]\ndependencies = ["flask"]\n',
    })
    const found = await scan(root)
    expect(found.frameworks.map((it) => it.name)).toEqual(['axum'])
    expect(found.packageManagers.map((it) => it.name)).toEqual(['cargo'])
    expect(found.tests.frameworks).toEqual([{ name: 'cargo test', reason: 'src/lib.rs has #[test]' }])
    expect(found.tests.layout).toBe('No separate test files; 1 source file with tests inside.')

    const example = await scan(root, 'examples/web')
    expect(example.frameworks.map((it) => it.name)).toEqual(['react'])
  })

  it('names malformed manifests and goes on', async () => {
    const root = makeRepository({ 'package.json': '{ oops', 'pyproject.toml': '[[', 'a.py': 'x = 1\n' })
    const found = await scan(root)
    expect(found.languages.map((it) => it.name)).toEqual(['Python'])
    expect(found.skipped.map((it) => it.path)).toEqual(['package.json', 'pyproject.toml'])
    expect(found.skipped[0]?.reason).toMatch(/^malformed: /)
  })

  it('is content with an empty repository and with an empty folder', async () => {
    const root = temporaryFolder()
    const nothing = { languages: [], frameworks: [], packageManagers: [], commands: [], files: 0, skipped: [] }
    expect(await scan(root)).toMatchObject(nothing)
    git(root, 'init', '-q')
    const found = await scan(root)
    expect(found).toMatchObject(nothing)
    expect(found.tests).toEqual({ frameworks: [], files: [], layout: 'No test files were found.' })
  })

  it('counts the text of a repository without code', async () => {
    const found = await scan(makeRepository({ 'README.md': 'a\nb\nc\n', 'data.json': '{}' }))
    expect(found.languages).toEqual([
      { name: 'Markdown', files: 1, lines: 3, percent: 75 },
      { name: 'JSON', files: 1, lines: 1, percent: 25 },
    ])
  })

  it('names a binary file under the name of a source file', async () => {
    const root = makeRepository({ 'a.ts': 'export {}\n' })
    writeFileSync(join(root, 'video.ts'), Buffer.from([0x47, 0, 0, 0x47]))
    const found = await scan(root)
    expect(found.languages).toEqual([{ name: 'TypeScript', files: 1, lines: 1, percent: 100 }])
    expect(found.skipped).toEqual([{ path: 'video.ts', reason: 'binary' }])
  })

  it('sees a lockfile whatever its size, and one that is binary', async () => {
    const root = makeRepository({
      'package.json': '{}',
      'package-lock.json': ' '.repeat(2 * 1024 * 1024),
      'tool/package.json': '{}',
      'tool/bun.lockb': 'a\0b',
    })
    const found = await scan(root)
    expect(found.packageManagers.map((it) => it.lockfile)).toEqual(['package-lock.json', 'tool/bun.lockb'])
    expect(found.skipped).toEqual([])
    expect(found.languages).toEqual([{ name: 'JSON', files: 2, lines: 2, percent: 100 }])
  })

  it('does not follow symbolic links, not even in circles', async () => {
    const root = makeRepository({ 'a.ts': 'export {}\n' })
    symlinkSync('.', join(root, 'self'))
    symlinkSync('/', join(root, 'everything'))
    const found = await scan(root)
    expect(found.files).toBe(1)
    expect(found.skipped.map((it) => it.path)).toEqual(['everything', 'self'])
  })

  it("takes the project's own places of tests", async () => {
    const root = makeRepository({ 'checks/a.ts': 'export {}\n', 'src/a.ts': 'export {}\n' })
    const settings = settingsSchema.parse({ tests: { files: ['checks/**'] } })
    const found = await scanRepository({ path: root, targetDir: '.', env: {} }, { settings })
    expect(found.tests.files).toEqual(['checks/a.ts'])
  })

  it('gives the same for the same files', async () => {
    const root = temporaryFolder()
    writeFiles(root, { 'b.py': 'x = 1\n', 'a.rb': 'X = 1\n', 'c.go': 'package c\n' })
    const [first, second] = [await scan(root), await scan(root)]
    expect({ ...second, durationMs: 0 }).toEqual({ ...first, durationMs: 0 })
    expect(first.languages.map((it) => it.name)).toEqual(['Go', 'Python', 'Ruby'])
  })
})
