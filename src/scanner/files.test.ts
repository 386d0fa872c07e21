import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import type { Checkout } from '../workspace/port.ts'
import { isInTarget, listProjectFiles, surveyFiles } from './files.ts'

function checkout(path: string, targetDir = '.'): Checkout {
  return { path, targetDir, env: { PATH: process.env['PATH'] ?? '' } }
}

describe('in a repository', () => {
  it('lists tracked and untracked files that git does not ignore, sorted', async () => {
    const root = makeRepository({ 'src/b.ts': 'b', 'src/a.ts': 'a', '.gitignore': '*.log\nsecret/\n' })
    writeFiles(root, { 'new.ts': 'n', 'a.log': 'l', 'secret/x.ts': 'x' })
    expect(await listProjectFiles(checkout(root))).toEqual(['.gitignore', 'new.ts', 'src/a.ts', 'src/b.ts'])
  })

  it('does not list a file that was deleted and not committed', async () => {
    const root = makeRepository({ 'a.ts': 'a', 'b.ts': 'b' })
    rmSync(join(root, 'a.ts'))
    expect(await surveyFiles(checkout(root))).toEqual({ files: ['b.ts'], skipped: [] })
  })

  it('reads nothing outside, whatever an index that was written by hand says', async () => {
    const root = makeRepository({ 'a.ts': 'a', 'xx/secret.ts': 's' })
    writeFileSync(join(root, '../secret.ts'), 'private')
    const index = readFileSync(join(root, '.git/index')).subarray(0, -20)
    index.write('..', index.indexOf('xx/secret.ts'), 'latin1')
    writeFileSync(join(root, '.git/index'), Buffer.concat([index, createHash('sha1').update(index).digest()]))
    expect(git(root, 'ls-files'), 'the control').toContain('../secret.ts')
    expect(await listProjectFiles(checkout(root))).toEqual(['a.ts', 'xx/secret.ts'])
    rmSync(join(root, '../secret.ts'))
  })

  it('reads names with spaces, quotes, letters of any script and line ends', async () => {
    const names = ['größe rechner.ts', 'テスト/計算.ts', 'a "b".ts', 'c\nd.ts']
    const root = makeRepository(Object.fromEntries(names.map((it) => [it, 'x'])))
    expect(await listProjectFiles(checkout(root))).toEqual(names.toSorted())
  })

  it('leaves out binaries, large files, symbolic links and loops of them, and says so', async () => {
    const root = makeRepository({ 'a.ts': 'a', 'logo.png': 'x', data: 'a\0b', 'huge.json': ' '.repeat(1024 * 1024 + 1), 'x.min.js': 'x' })
    mkdirSync(join(root, 'loop'))
    symlinkSync('..', join(root, 'loop/up'))
    symlinkSync('/etc/passwd', join(root, 'outside'))
    expect(await surveyFiles(checkout(root))).toEqual({
      files: ['a.ts'],
      skipped: [
        { path: 'data', reason: 'binary' },
        { path: 'huge.json', reason: 'larger than 1 MB (1.0 MB)' },
        { path: 'logo.png', reason: 'binary' },
        { path: 'loop/up', reason: 'a symbolic link' },
        { path: 'outside', reason: 'a symbolic link' },
        { path: 'x.min.js', reason: 'minified or a source map' },
      ],
    })
  })

  it('reads nothing behind a tracked folder that has become a link out of the checkout', async () => {
    const outside = temporaryFolder()
    writeFiles(outside, { 'a.ts': 'secret', 'deep/b.ts': 'secret' })
    const root = makeRepository({ 'src/a.ts': 'a', 'src/deep/b.ts': 'b', 'c.ts': 'c' })
    rmSync(join(root, 'src'), { recursive: true })
    symlinkSync(outside, join(root, 'src'))
    const { files, skipped } = await surveyFiles(checkout(root))
    expect(files).toEqual(['c.ts'])
    expect(skipped).toEqual([
      { path: 'src', reason: 'a symbolic link' },
      { path: 'src/', reason: 'behind a symbolic link' },
      { path: 'src/deep/', reason: 'behind a symbolic link' },
    ])
  })

  it('names a file whose name is not UTF-8', async () => {
    const root = makeRepository({ 'a.ts': 'a' })
    writeFileSync(Buffer.concat([Buffer.from(`${root}/b`), Buffer.from([0xff]), Buffer.from('.ts')]), 'x')
    expect(await surveyFiles(checkout(root))).toEqual({
      files: ['a.ts'],
      skipped: [{ path: 'b\uFFFD.ts', reason: 'its name is not UTF-8' }],
    })
  })

  it('leaves out installed, vendored and generated folders, each once with the number of files', async () => {
    const root = makeRepository({
      'package.json': '{}',
      'node_modules/a/index.js': 'x',
      'node_modules/b/index.js': 'x',
      'vendor/c/c.go': 'x',
      'dist/a.js': 'x',
      'env/pyvenv.cfg': 'x',
      'env/lib/a.py': 'x',
    })
    const { files, skipped } = await surveyFiles(checkout(root))
    expect(files).toEqual(['package.json'])
    expect(skipped).toEqual([
      { path: 'dist/', reason: 'build output (1 file)' },
      { path: 'env/', reason: 'a Python virtual environment (2 files)' },
      { path: 'node_modules/', reason: 'installed packages (2 files)' },
      { path: 'vendor/', reason: 'vendored code (1 file)' },
    ])
  })

  it('keeps a tracked folder called build, and a new one that is not beside a manifest; leaves out real output', async () => {
    const root = makeRepository({ 'package.json': '{}', 'build/tracked.ts': 'x', 'src/a.ts': 'x' })
    writeFiles(root, { 'src/build/new.ts': 'x', 'target/out.txt': 'x' })
    const { files, skipped } = await surveyFiles(checkout(root))
    expect(files).toEqual(['build/tracked.ts', 'package.json', 'src/a.ts', 'src/build/new.ts'])
    expect(skipped).toEqual([{ path: 'target/', reason: 'build output (1 file)' }])
  })

  it('does not look into repositories within the repository', async () => {
    const root = makeRepository({ 'a.ts': 'a' })
    const inner = join(root, 'inner')
    mkdirSync(inner)
    git(inner, 'init', '-q')
    writeFiles(inner, { 'b.ts': 'b' })
    expect(await surveyFiles(checkout(root))).toEqual({ files: ['a.ts'], skipped: [{ path: 'inner/', reason: 'a repository of its own' }] })
  })

  it('with a target folder lists it and the files directly in the folders above it', async () => {
    const root = makeRepository({
      'package.json': '{}',
      'docs/a.md': 'x',
      'packages/shared.json': '{}',
      'packages/a/src/a.ts': 'x',
      'packages/b/src/b.ts': 'x',
      'packages/a-b/c.ts': 'x',
    })
    expect(await listProjectFiles(checkout(root, 'packages/a'))).toEqual(['package.json', 'packages/a/src/a.ts', 'packages/shared.json'])
    expect(isInTarget(checkout(root, 'packages/a/'), 'packages/a/src/a.ts')).toBe(true)
    expect(isInTarget(checkout(root, 'packages/a'), 'packages/a-b/c.ts')).toBe(false)
  })

  it('refuses a target folder outside', async () => {
    const root = makeRepository({ 'a.ts': 'a' })
    await expect(listProjectFiles(checkout(root, '../elsewhere'))).rejects.toThrow(
      'The path "../elsewhere" is refused: the folder to work in must lie in the repository.',
    )
    await expect(listProjectFiles(checkout(root, '/etc'))).rejects.toMatchObject({ code: 'path_refused' })
  })

  it('says so when the checkout is not there', async () => {
    await expect(listProjectFiles(checkout('/no/such/folder'))).rejects.toThrow('No file "/no/such/folder".')
  })

  it('is content with an empty repository', async () => {
    const root = temporaryFolder()
    git(root, 'init', '-q')
    expect(await surveyFiles(checkout(root))).toEqual({ files: [], skipped: [] })
  })

  it('starts no program that the repository configures', async () => {
    const root = makeRepository({ 'a.ts': 'a' })
    const marker = join(root, 'marker')
    const script = join(root, '.git', 'evil.sh')
    writeFileSync(script, `#!/bin/sh\ntouch ${marker}\n`)
    chmodSync(script, 0o755)
    git(root, 'config', 'core.fsmonitor', script)
    expect(await listProjectFiles(checkout(root))).toEqual(['a.ts'])
  })

  it('names only the first of very many that were left out', async () => {
    const root = makeRepository(Object.fromEntries(Array.from({ length: 510 }, (_, at) => [`i${String(at).padStart(3, '0')}.png`, 'x'])))
    const { skipped } = await surveyFiles(checkout(root))
    expect(skipped).toHaveLength(501)
    expect(skipped.at(-1)).toEqual({ path: '…', reason: '10 more were left out for the same reasons' })
  })
})

describe('outside a repository', () => {
  it('walks the folder, obeys .gitignore files by folder, and does not follow links', async () => {
    const root = temporaryFolder()
    writeFiles(root, {
      '.gitignore': '*.log\n/private/\n!keep.log\n',
      'a.ts': 'a',
      'a.log': 'l',
      'keep.log': 'k',
      'private/b.ts': 'b',
      'sub/.gitignore': 'c.ts\n!d.log\n',
      'sub/c.ts': 'c',
      'sub/d.log': 'd',
      'sub/private/e.ts': 'e',
      'node_modules/x/index.js': 'x',
    })
    symlinkSync('.', join(root, 'loop'))
    expect(await surveyFiles(checkout(root))).toEqual({
      files: ['.gitignore', 'a.ts', 'keep.log', 'sub/.gitignore', 'sub/d.log', 'sub/private/e.ts'],
      skipped: [
        { path: 'loop', reason: 'a symbolic link' },
        { path: 'node_modules/', reason: 'installed packages' },
      ],
    })
  })

  it('says which folders are too deep', async () => {
    const root = temporaryFolder()
    writeFiles(root, { [`${'d/'.repeat(45)}a.ts`]: 'x', 'b.ts': 'b' })
    const { files, skipped } = await surveyFiles(checkout(root))
    expect(files).toEqual(['b.ts'])
    expect(skipped).toEqual([{ path: 'd/'.repeat(41), reason: 'more than 40 folders deep' }])
  })

  it('walks a folder that the repository around it ignores', async () => {
    const root = makeRepository({ 'a.ts': 'a', '.gitignore': 'copies/\n' })
    writeFiles(root, { 'copies/one/b.ts': 'b' })
    expect(await listProjectFiles(checkout(join(root, 'copies/one')))).toEqual(['b.ts'])
  })
})
