import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderWorkspace, makeRole } from '../../../test/support/agent.ts'
import { temporaryFolder } from '../../../test/support/folder.ts'
import { bench } from '../../../test/support/tool-bench.ts'
import type { ProgramResult, ProgramSpec } from '../../process/port.ts'
import { runProgram } from '../../process/run-program.ts'
import { unconfined } from '../../process/unconfined.ts'
import { syntaxErrors } from '../../scanner/syntax.ts'
import { specsFor, TOOLS } from './toolbox.ts'

async function withoutRipgrep(spec: ProgramSpec): Promise<ProgramResult> {
  return runProgram(spec.argv[0].endsWith('rg') ? { ...spec, argv: ['/no/such/program'] } : spec)
}

describe('read_file', () => {
  it('shows lines with their numbers, and where to go on', async () => {
    const { use } = bench({ 'a.txt': Array.from({ length: 2000 }, (_, at) => `line ${at + 1}`).join('\n') })
    const all = await use('read_file', { path: 'a.txt' })
    expect(all.text).toMatch(/^ {4}1\tline 1\n/)
    expect(all.text).toMatch(/\n\(2000 lines; go on with from: 1501\)$/)
    expect(await use('read_file', { path: './a.txt', from: 1999 })).toMatchObject({
      ok: true,
      text: ' 1999\tline 1999\n 2000\tline 2000',
      target: 'a.txt',
    })
    expect((await use('read_file', { path: 'a.txt', from: 2, to: 3 })).text).toBe('    2\tline 2\n    3\tline 3')
  })

  it('says what is wrong with a file it does not show', async () => {
    const { use, root } = bench({ 'a.txt': 'x\n', 'bin.dat': 'a\0b', 'empty.txt': '', 'long.txt': 'y'.repeat(5000) })
    writeFileSync(join(root, 'latin.txt'), Buffer.from([0x63, 0x61, 0x66, 0xe9]))
    expect((await use('read_file', { path: 'no.txt' })).text).toBe('read_file: there is no file "no.txt"; list_files shows what is there.')
    expect((await use('read_file', { path: 'bin.dat' })).text).toBe('read_file: "bin.dat" is a binary file.')
    expect((await use('read_file', { path: 'latin.txt' })).text).toBe('read_file: "latin.txt" is not UTF-8 text.')
    expect((await use('read_file', { path: 'empty.txt' })).text).toBe('(the file is empty)')
    expect((await use('read_file', { path: 'a.txt', from: 9 })).text).toBe('read_file: "a.txt" has 1 lines; there is no line 9.')
    expect((await use('read_file', { path: 'long.txt' })).text).toMatch(/\[\.\.\. line cut, 5000 characters\]$/)
  })

  it.each(['../secret', '/etc/passwd', '.git/config', 'a/../../x', ''.padEnd(3, '.')])('refuses %s', async (path) => {
    const outcome = await bench({}).use('read_file', { path })
    expect(outcome).toMatchObject({ ok: false })
    expect(outcome.text).toMatch(/^read_file: /)
  })

  it('reads through no link', async () => {
    const { use, root } = bench({})
    symlinkSync('/etc/passwd', join(root, 'link.txt'))
    symlinkSync('/etc', join(root, 'folder'))
    expect((await use('read_file', { path: 'link.txt' })).ok).toBe(false)
    expect((await use('read_file', { path: 'folder/passwd' })).ok).toBe(false)
  })
})

describe('list_files and search_text', () => {
  const files = {
    'src/a.ts': 'alpha\nbeta\n',
    'src/b.py': 'beta()\n',
    '.gitignore': 'out/\n',
    'out/c.ts': 'beta\n',
    'öl/d e.ts': 'gamma\n',
  }

  it('lists files, also hidden ones and those with blanks', async () => {
    const { use } = bench({ ...files, '.ignore': 'out/\n' })
    expect((await use('list_files', {})).text.split('\n')).toEqual(['.gitignore', '.ignore', 'src/a.ts', 'src/b.py', 'öl/d e.ts'])
    expect((await use('list_files', { glob: '**/*.ts' })).text).toBe('src/a.ts\nöl/d e.ts')
    expect((await use('list_files', { path: 'src' })).text).toBe('src/a.ts\nsrc/b.py')
    expect((await use('list_files', { path: 'src', glob: '*.rb' })).text).toBe(
      'list_files: no file below "src" fits "*.rb" (2 files are there).',
    )
  })

  it('refuses folders that are none or outside', async () => {
    const { use } = bench(files)
    expect((await use('list_files', { path: '../..' })).text).toMatch(/^list_files: The path/)
    expect((await use('list_files', { path: 'none' })).ok).toBe(false)
  })

  it('names folders when there are too many files', async () => {
    const many = Object.fromEntries(Array.from({ length: 450 }, (_, at) => [`d${at % 3}/f${at}.txt`, '']))
    const { text } = await bench(many).use('list_files', {})
    expect(text).toBe(
      '450 files; their folders, give one of them as "path" to see its files:\nd0/ (150 files)\nd1/ (150 files)\nd2/ (150 files)',
    )
  })

  it('finds lines by expression, by plain text, in a folder, in files', async () => {
    const { use } = bench(files)
    expect((await use('search_text', { pattern: 'b.ta', glob: '*.py' })).text).toBe('src/b.py:1:beta()')
    expect((await use('search_text', { pattern: 'beta()', literal: true })).text).toBe('src/b.py:1:beta()')
    expect((await use('search_text', { pattern: 'ALPHA', ignore_case: true, path: 'src' })).text).toBe('src/a.ts:1:alpha')
    expect(await use('search_text', { pattern: 'nowhere' })).toMatchObject({ ok: true, text: 'No match.' })
  })

  it('takes a pattern that looks like an option as a pattern', async () => {
    const { use } = bench({ 'a.txt': '--pre=sh\n' })
    expect((await use('search_text', { pattern: '--pre=sh' })).text).toBe('a.txt:1:--pre=sh')
  })

  it('explains a broken expression and bounds its output', async () => {
    const { use } = bench({
      'a.txt': 'word\n'.repeat(49),
      ...Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`f${at}`, 'word\n'.repeat(60)])),
    })
    expect((await use('search_text', { pattern: '(' })).text).toMatch(/^search_text: .*unclosed group.* give literal: true\.$/)
    const found = await use('search_text', { pattern: 'word' })
    expect(found.text.split('\n')).toHaveLength(201)
    expect(found.text).toMatch(/\(more than 200 lines fit; search a folder or a longer pattern\)$/)
    expect((await use('search_text', { pattern: 'x', path: '../..' })).ok).toBe(false)
  })

  it('searches one file, and through no link', async () => {
    const { use, root } = bench(files)
    symlinkSync('/etc/passwd', join(root, 'link.txt'))
    symlinkSync('/etc', join(root, 'way-out'))
    expect((await use('search_text', { pattern: 'b', path: 'src/b.py' })).text).toBe('src/b.py:1:beta()')
    expect((await use('search_text', { pattern: 'root', path: 'link.txt' })).ok).toBe(false)
    expect((await use('search_text', { pattern: 'root', path: 'way-out' })).ok).toBe(false)
    expect((await use('search_text', { pattern: 'root' })).text).toBe('No match.')
    expect((await use('list_files', { path: 'way-out' })).ok).toBe(false)
    expect((await use('search_text', { pattern: 'x', path: 'none' })).text).toMatch(/^search_text: there is no file or folder "none"/)
  })

  it('does both where ripgrep cannot be started', async () => {
    const { use } = bench(files, { runProgram: withoutRipgrep })
    expect((await use('list_files', { path: 'src' })).text).toBe('src/a.ts\nsrc/b.py')
    expect((await use('search_text', { pattern: 'b.ta', path: 'src' })).text.split('\n').toSorted()).toEqual([
      'src/a.ts:2:beta',
      'src/b.py:1:beta()',
    ])
  })
})

describe('the tools that write', () => {
  it('edits, and says how the place was found', async () => {
    const { use, read } = bench({ 'a.ts': 'if (x) {\n  y()\n}\n' })
    expect(await use('edit_file', { path: 'a.ts', old: 'y()', new: 'z()' })).toMatchObject({
      ok: true,
      text: 'Edited a.ts at line 2.',
      changed: true,
    })
    expect((await use('edit_file', { path: 'a.ts', old: '    z()\n', new: '    w()\n' })).text).toBe(
      'Edited a.ts at line 2 (found without regard to indentation).',
    )
    expect(read('a.ts')).toBe('if (x) {\n  w()\n}\n')
  })

  it('tells the next move when an edit does not fit', async () => {
    const { use } = bench({ 'a.ts': 'x\nx\nx\n' })
    expect((await use('edit_file', { path: 'a.ts', old: 'x', new: 'y' })).text).toBe(
      'edit_file: the text to replace occurs 3 times (lines 1, 2, 3); give more lines around it.',
    )
    expect((await use('edit_file', { path: 'b.ts', old: 'x', new: 'y' })).text).toBe(
      'edit_file: there is no file "b.ts"; make it with write_file.',
    )
  })

  it('refuses an edit after which a file does not parse any more', async () => {
    const { use, read } = bench({ 'a.ts': 'function f() {\n  return 1\n}\n', 'broken.ts': 'function (' }, { syntaxErrors })
    const refused = await use('edit_file', { path: 'a.ts', old: '  return 1\n}', new: '  return 1' })
    expect(refused.text).toMatch(
      /^edit_file: with this change "a\.ts" would no longer parse, line \d+: .*Nothing was changed; send the edit again, whole\.$/,
    )
    expect(read('a.ts')).toContain('return 1\n}')
    expect((await use('write_file', { path: 'a.ts', content: 'function f( {' })).ok).toBe(false)
    // What never parsed may be mended in steps.
    expect(await use('edit_file', { path: 'broken.ts', old: 'function (', new: 'function f(' })).toMatchObject({ ok: true })
    expect((await use('write_file', { path: 'new.ts', content: 'const = 1' })).text).toMatch(
      /^Made new\.ts, 1 lines\. Warning: it does not parse, line 1/,
    )
  })

  it('writes new files in new folders, and replaces old ones', async () => {
    const { use, read } = bench({ 'a.txt': 'old' })
    expect((await use('write_file', { path: 'x/y/z.txt', content: 'a\nb\n' })).text).toBe('Made x/y/z.txt, 2 lines.')
    expect((await use('write_file', { path: 'a.txt', content: 'new' })).text).toBe('Wrote a.txt, 1 lines.')
    expect((await use('write_file', { path: 'a.txt', content: 'new' })).text).toBe('"a.txt" already has this content.')
    expect(read('x/y/z.txt')).toBe('a\nb\n')
  })

  it('keeps the line ends of a file that is written whole', async () => {
    const { use, read } = bench({ 'dos.txt': 'a\r\nb\r\n', 'mixed.txt': 'a\r\nb\n' })
    await use('write_file', { path: 'dos.txt', content: 'a\nc\n' })
    await use('write_file', { path: 'mixed.txt', content: 'a\nc\n' })
    await use('apply_patch', { patch: '*** Begin Patch\n*** Update File: dos.txt\n@@ a\n+b\n*** End Patch' })
    expect([read('dos.txt'), read('mixed.txt')]).toEqual(['a\r\nb\r\nc\r\n', 'a\nc\n'])
  })

  it('deletes a file and nothing else', async () => {
    const { use, root } = bench({ 'a/b.txt': 'x' })
    expect((await use('delete_file', { path: 'a' })).text).toMatch(/^delete_file: .*it is a folder/)
    expect((await use('delete_file', { path: 'a/b.txt' })).text).toBe('Deleted a/b.txt.')
    expect(existsSync(join(root, 'a/b.txt'))).toBe(false)
    expect((await use('delete_file', { path: 'a/b.txt' })).ok).toBe(false)
  })

  it.each(['write_file', 'edit_file', 'delete_file', 'apply_patch'])(
    '%s refuses tests, protected files, links and what is outside',
    async (tool) => {
      const { use, root, read } = bench({ 'src/a.test.ts': 'x', 'reeve.toml': 'x', 'fixed.txt': 'x' }, { protectedPaths: ['fixed.txt'] })
      const folder = temporaryFolder()
      const outside = join(folder, 'victim.txt')
      writeFileSync(outside, 'x')
      symlinkSync(folder, join(root, 'way-out'))
      const inputs = (path: string) =>
        tool === 'apply_patch'
          ? { patch: `*** Begin Patch\n*** Update File: ${path}\n@@\n-x\n+y\n*** End Patch` }
          : { path, content: 'y', old: 'x', new: 'y' }
      for (const path of [
        'src/a.test.ts',
        'reeve.toml',
        'fixed.txt',
        `../${basename(folder)}/victim.txt`,
        outside,
        'way-out/victim.txt',
        '.git/config',
      ]) {
        const outcome = await use(tool, inputs(path))
        expect(outcome, `${tool} ${path}: ${outcome.text}`).toMatchObject({ ok: false })
        expect(outcome.text.startsWith(`${tool}: `), outcome.text).toBe(true)
      }
      expect([read('src/a.test.ts'), read('reeve.toml'), read('fixed.txt'), readFileSync(outside, 'utf8')]).toEqual(['x', 'x', 'x', 'x'])
    },
  )
})

describe('run_command', () => {
  it('gives exit code, output and errors', async () => {
    const { use } = bench({ 'a.txt': 'hello' })
    expect((await use('run_command', { command: 'cat a.txt; echo oops >&2; exit 3' })).text).toBe('exit code 3\nhello\nstderr:\noops')
    expect((await use('run_command', { command: 'true' })).text).toBe('exit code 0\n(no output)')
  })

  it('says why nothing can be downloaded in a sandbox, and only there', async () => {
    const { use } = bench({})
    const command = { command: 'echo "npm error code EAI_AGAIN" >&2; exit 1' }
    expect((await use('run_command', command)).text).not.toContain('reeve:')
    const confinement = { ...unconfined, level: 'os-sandbox' as const }
    const held = bench({}, { checkout: { ...folderWorkspace({}), confinement } })
    expect((await held.use('run_command', command)).text).toMatch(/reeve: commands have no network here/)
    expect((await held.use('run_command', { command: 'echo EAI_AGAIN' })).text, 'it went well').not.toContain('reeve:')
    expect((await held.use('run_command', { command: 'exit 1' })).text, 'another reason').not.toContain('reeve:')
  })

  it('keeps head and tail of long output', async () => {
    const { text } = await bench({}).use('run_command', { command: 'seq 1 100000' })
    expect(text.length).toBeLessThan(17_000)
    expect(text).toMatch(/^exit code 0\n1\n2\n/)
    expect(text).toMatch(/\n99999\n100000$/)
    expect(text).toContain('characters left out')
  })

  it('stops what takes too long or never stops printing', async () => {
    const { use } = bench({}, { commandTimeoutMs: 10_000 })
    expect((await use('run_command', { command: 'sleep 30', timeout_seconds: 0.2 })).text).toMatch(
      /^stopped after 0\.\d s: it took too long/,
    )
    expect((await use('run_command', { command: 'yes' })).text).toMatch(/^stopped: it printed too much/)
  })

  it('is not for roles without that permission', async () => {
    const { use } = bench({}, { permissions: makeRole({ permissions: { write: 'all', run_commands: false } }).permissions })
    expect((await use('run_command', { command: 'true' })).text).toBe('run_command: the role "implementer" may not run commands.')
  })
})

describe('repo_map', () => {
  it('asks the scanner', async () => {
    expect((await bench({}).use('repo_map', { focus: ['add', 'src'] })).text).toBe('map of add src in 2000')
  })

  it('tells what to use instead when there is no map', async () => {
    const broken = bench({}, { repoMap: () => Promise.reject(new Error('no grammar')) })
    expect((await broken.use('repo_map', {})).text).toBe('repo_map: no grammar. Use list_files and search_text instead.')
  })
})

describe('what a model is told of the tools', () => {
  it('offers only what the role may use, each with a text and a schema of an object', async () => {
    const all = await specsFor(TOOLS, makeRole({ permissions: { write: 'all', run_commands: true } }).permissions, undefined)
    expect(all.map((it) => it.name)).toEqual([
      'read_file',
      'list_files',
      'search_text',
      'repo_map',
      'edit_file',
      'apply_patch',
      'write_file',
      'delete_file',
      'run_command',
      'finish',
    ])
    for (const spec of all) {
      expect(spec.description.length, spec.name).toBeGreaterThan(60)
      expect(spec.input['type'], spec.name).toBe('object')
    }
    const reading = await specsFor(TOOLS, makeRole({ permissions: { write: 'none' } }).permissions, undefined)
    expect(reading.map((it) => it.name)).toEqual(['read_file', 'list_files', 'search_text', 'repo_map', 'finish'])
  })

  it('gives the output of finish the wanted shape', async () => {
    const specs = await specsFor(TOOLS, makeRole().permissions, { type: 'object', properties: { a: { type: 'string' } } })
    expect(specs.find((it) => it.name === 'finish')?.input).toMatchObject({
      properties: { output: { type: 'object', properties: { a: { type: 'string' } } } },
      required: ['summary', 'output'],
    })
  })
})
