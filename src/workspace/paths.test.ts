import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { realpath, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { runProgram } from '../process/run-program.ts'
import { checkNewName, checkRelative, deleteFileIn, listDirIn, readFileIn, writeFileIn } from './paths.ts'

const text = async (root: string, path: string) => Buffer.from((await readFileIn(root, path, 1e6)) ?? 'null').toString()

describe('the text of a path', () => {
  const refused: [what: string, cases: [path: string, reason: string][]][] = [
    [
      'the folder above',
      [
        ['..', 'it has the part ".."'],
        ['a/../b', 'it has the part ".."'],
        ['../outside', 'it has the part ".."'],
      ],
    ],
    [
      'spellings of .git',
      [
        ['.git', '".git" belongs to'],
        ['.GIT/config', '".git" belongs to'],
        ['sub/.git/hooks/x', '".git" belongs to'],
        ['.git./config', '".git" belongs to'],
        ['.git /config', '".git" belongs to'],
        ['git~1/config', '".git" belongs to'],
        ['.git::$INDEX_ALLOCATION/x', '".git" belongs to'],
      ],
    ],
    [
      'characters nobody sees',
      [
        ['a\0b', 'it contains a NUL character'],
        ['.g\u200Cit/config', 'control or invisible characters'],
        ['a\u202Etxt.exe', 'control or invisible characters'],
        ['a\uD800b', 'control or invisible characters'],
        ['a\nb', 'control or invisible characters'],
        ['a\u001B[2Jb', 'control or invisible characters'],
      ],
    ],
    [
      'no path from the root of the project',
      [
        ['', 'it is empty'],
        ['/etc/passwd', 'it is absolute'],
        ['C:\\x', 'it is absolute'],
        ['.', 'it has the part "."'],
        ['./x', 'it has the part "."'],
        ['a//b', 'it has an empty part'],
        ['a/', 'it has an empty part'],
      ],
    ],
    [
      'names longer than a file system has',
      [
        ['x'.repeat(300), 'longer than 255 bytes'],
        ['xx/'.repeat(2000), 'longer than 4096 bytes'],
      ],
    ],
  ]
  it.each(refused)('refuses the text of: %s', (_, cases) => {
    for (const [path, reason] of cases) expect(() => checkRelative(path), JSON.stringify(path)).toThrow(reason)
  })

  it('takes ordinary ones, also with spaces, other alphabets and a leading dot', () => {
    for (const path of ['a', 'src/main.ts', '.github/x.yml', '.gitignore', 'a b/c', 'größe/日本語.txt', '..%2fetc', '...', 'a..b']) {
      expect(checkRelative(path)).toBe(path)
    }
  })
})

describe('the name of a new file', () => {
  it.each([
    ['notes.txt ', 'ends with a blank or a dot'],
    ['a./b.txt', 'ends with a blank or a dot'],
    [' a/b.txt', 'begins with a blank'],
    ['--upload-pack=x', 'begins with "-"'],
    ['src/-rf', 'begins with "-"'],
    ['a.txt:stream', 'it contains ":"'],
    ['a\\..\\b', 'it contains "\\"'],
    ['aux.ts', '"aux.ts" is the name of a device'],
    ['x/COM1', '"COM1" is the name of a device'],
    ['a\u00A0b', 'look like nothing or like a blank'],
    ['a\u3164', 'look like nothing or like a blank'],
    ['../x', 'it has the part ".."'],
  ])('refuses %j: %s', (path, reason) => {
    expect(() => checkNewName(path)).toThrow(reason)
  })

  it('may be any ordinary one', () => {
    for (const path of [
      'a b.txt',
      'src/auxiliary.ts',
      'app/[slug]/page.tsx',
      'größe/日本語.txt',
      '.env.example',
      'a-b',
      'console.ts',
      '❤️.md',
    ]) {
      expect(checkNewName(path)).toBe(path)
    }
  })
})

describe('files below a root', () => {
  it('are written with the folders on the way, read, listed and deleted', async () => {
    const root = temporaryFolder()
    await writeFileIn(root, 'a b/ö/x.txt', 'one')
    await writeFileIn(root, 'a b/ö/x.txt', 'two')
    expect(await text(root, 'a b/ö/x.txt')).toBe('two')
    expect(await listDirIn(root, '.')).toEqual([{ name: 'a b', kind: 'folder' }])
    expect(await listDirIn(root, 'a b/ö')).toEqual([{ name: 'x.txt', kind: 'file' }])
    await deleteFileIn(root, 'a b/ö/x.txt')
    expect(await listDirIn(root, 'a b/ö')).toEqual([])
  })

  it('that are missing read as null, and are an error to delete unless that is fine', async () => {
    const root = temporaryFolder()
    expect(await readFileIn(root, 'no/such', 10)).toBeNull()
    await expect(deleteFileIn(root, 'no/such')).rejects.toThrow('No file "no/such".')
    await deleteFileIn(root, 'no/such', { missing: 'ok' })
    await expect(listDirIn(root, 'no')).rejects.toThrow('No file "no".')
  })

  it('keep their mode when they are written', async () => {
    const root = temporaryFolder()
    writeFileSync(join(root, 'run.sh'), 'old', { mode: 0o755 })
    await writeFileIn(root, 'run.sh', 'new')
    expect(statSync(join(root, 'run.sh')).mode & 0o777).toBe(0o755)
  })

  it('larger than the limit are refused with their size', async () => {
    const root = temporaryFolder()
    writeFiles(root, { big: 'x'.repeat(11) })
    await expect(readFileIn(root, 'big', 10)).rejects.toThrow('it has 11 bytes, more than the 10 that may be read')
  })

  it('leave no unfinished file behind when a write fails', async () => {
    const root = temporaryFolder()
    mkdirSync(join(root, 'folder'))
    await expect(writeFileIn(root, 'folder', 'x')).rejects.toThrow('it is a folder')
    expect(readdirSync(root)).toEqual(['folder'])
  })
})

function planted() {
  const outside = join(temporaryFolder(), 'task1-evil') // beside it: a comparison of prefixes would take it for inside
  const root = join(dirname(outside), 'task1')
  mkdirSync(root)
  writeFiles(outside, { secret: 'untouched', 'sub/x': 'untouched' })
  symlinkSync(outside, join(root, 'linked'))
  symlinkSync(join(outside, 'secret'), join(root, 'soft'))
  linkSync(join(outside, 'secret'), join(root, 'hard'))
  mkdirSync(join(root, 'allowed'))
  symlinkSync(join(outside, 'sub'), join(root, 'allowed/sub'))
  return { outside, root }
}

describe('ways out of a root', () => {
  it('by links in the middle or at the end, hard links, pipes and devices are closed', async () => {
    const { root, outside } = planted()
    await runProgram({ argv: ['mkfifo', join(root, 'fifo')], cwd: root, env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 5000 })
    symlinkSync('/dev/zero', join(root, 'zero'))
    const cases: [string, string][] = [
      ['linked/p', 'a part of it is a symbolic link'],
      ['allowed/sub/x', 'a part of it is a symbolic link'],
      ['soft', 'it is a symbolic link'],
      ['hard', 'it is a hard link'],
      ['fifo', 'it is not a regular file'],
      ['zero', 'it is a symbolic link'],
      ['../task1-evil/secret', 'it has the part ".."'],
    ]
    for (const [path, reason] of cases) await expect(writeFileIn(root, path, 'x'), path).rejects.toThrow(reason)
    for (const path of ['linked/secret', 'allowed/sub/x', 'soft', 'fifo', 'zero']) {
      await expect(readFileIn(root, path, 100), path).rejects.toThrow(/symbolic link|not a regular file/)
    }
    await expect(listDirIn(root, 'linked')).rejects.toThrow('symbolic link')
    await expect(deleteFileIn(root, 'linked/secret')).rejects.toThrow('symbolic link')
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('untouched')
    expect(readdirSync(outside)).toEqual(['secret', 'sub'])
    expect(existsSync(join(outside, 'p'))).toBe(false)
  })

  it("does not take a neighbour's folder for its own: task1-evil beside task1", async () => {
    const { root, outside } = planted()
    await expect(readFileIn(root, '../task1-evil/secret', 100)).rejects.toThrow('it has the part ".."')
    await expect(writeFileIn(root, '../task1-evil/p', 'x')).rejects.toThrow('it has the part ".."')
    await writeFileIn(root, outside.slice(1), 'x')
    expect(existsSync(join(outside, 'p'))).toBe(false)
    expect(existsSync(join(root, outside.slice(1))), 'a path of the same words below the root').toBe(true)
  })

  it('are not taken when a link is deleted: the link goes, its target stays', async () => {
    const { root, outside } = planted()
    await deleteFileIn(root, 'soft')
    await deleteFileIn(root, 'linked')
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('untouched')
    expect(readdirSync(root)).not.toContain('soft')
  })

  it('stay closed while a folder and a link are swapped; a check before the write does not', async () => {
    const base = temporaryFolder()
    const [root, outside] = [join(base, 'tree'), join(base, 'outside')]
    mkdirSync(join(root, 'd'), { recursive: true })
    mkdirSync(outside)
    const unsafe = async (path: string) => {
      const file = resolve(root, path)
      if (!(await realpath(dirname(file))).startsWith(`${root}/`)) throw new Error('outside')
      await writeFile(file, 'x')
    }
    const safe = (path: string) => writeFileIn(root, path, 'x')
    const naive = await race(root, outside, unsafe, 0, () => readdirSync(outside).length > 0)
    expect(naive.escaped, 'the control: the attack works').toBeGreaterThan(0)
    const walked = await race(root, outside, safe, 4000, () => true)
    expect(walked.written).toBeGreaterThan(0)
    expect(walked.escaped).toBe(0)
  })
})

const ATTACKER = `
const { renameSync, rmSync, symlinkSync, unlinkSync } = require('node:fs')
const { parentPort, workerData: { root, outside, stop } } = require('node:worker_threads')
parentPort.postMessage('ready')
function round() {
  for (let at = 0; at < 500; at++) {
    try {
      renameSync(root + '/d', root + '/real')
      symlinkSync(outside, root + '/d')
      unlinkSync(root + '/d')
      renameSync(root + '/real', root + '/d')
    } catch {
      // The other side has made the folder anew meanwhile: begin again with that one.
      rmSync(root + '/real', { recursive: true, force: true })
    }
  }
  if (Atomics.load(stop, 0) === 0) setImmediate(round)
}
round()
`

async function race(
  root: string,
  outside: string,
  write: (path: string) => Promise<void>,
  leastMs: number,
  seen: () => boolean,
): Promise<{ written: number; escaped: number }> {
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const attacker = new Worker(ATTACKER, { eval: true, workerData: { root, outside, stop } })
  await new Promise((ready) => {
    attacker.once('message', ready)
  })
  const result = { written: 0, escaped: 0 }
  // On a busy machine longer, until both sides have had their turns.
  const begun = performance.now()
  for (let at = 0; performance.now() - begun < 20_000; at++) {
    if (performance.now() - begun > leastMs && result.written >= 20 && seen()) break
    try {
      await write(`d/f${at}`)
      result.written += 1
    } catch {
      // lost this round
    }
  }
  const gone = new Promise((exit) => {
    attacker.once('exit', exit)
  })
  Atomics.store(stop, 0, 1)
  await gone
  const escaped = readdirSync(outside)
  for (const name of escaped) unlinkSync(join(outside, name))
  if (existsSync(join(root, 'real')) && !existsSync(join(root, 'd'))) renameSync(join(root, 'real'), join(root, 'd'))
  return { ...result, escaped: escaped.length }
}
