import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderWorkspace, makeRole } from '../../../test/support/agent.ts'
import { temporaryFolder } from '../../../test/support/folder.ts'
import type { ProgramResult, ProgramSpec } from '../../process/port.ts'
import { runProgram } from '../../process/run-program.ts'
import { syntaxErrors } from '../../scanner/syntax.ts'
import { filesIn } from './files.ts'
import type { ToolContext, ToolOutcome } from './tool.ts'
import { specsFor, TOOLS } from './toolbox.ts'

interface Bench {
  root: string
  use: (tool: string, input: unknown) => Promise<ToolOutcome>
  read: (path: string) => string
}

async function withoutRipgrep(spec: ProgramSpec): Promise<ProgramResult> {
  return runProgram(spec.argv[0].endsWith('rg') ? { ...spec, argv: ['/no/such/program'] } : spec)
}

function bench(files: Readonly<Record<string, string>>, over: Partial<ToolContext> = {}): Bench {
  const checkout = folderWorkspace(files)
  const context: ToolContext = {
    role: 'implementer',
    permissions: makeRole().permissions,
    checkout,
    files: filesIn(checkout.path),
    isTestFile: (it) => it.includes('.test.'),
    protectedPaths: [],
    commandTimeoutMs: 10_000,
    signal: new AbortController().signal,
    runProgram,
    syntaxErrors: async () => null,
    repoMap: async (_checkout, { focus, tokens }) => `map of ${focus.join(' ')} in ${tokens}`,
    ...over,
  }
  return {
    root: checkout.path,
    read: (path) => readFileSync(join(checkout.path, path), 'utf8'),
    use: async (name, input) => {
      const tool = TOOLS.find((it) => it.name === name)
      if (!tool) throw new Error(`no tool ${name}`)
      return tool.run(tool.input.parse(input), context)
    },
  }
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

describe('apply_patch', () => {
  const files = { 'a.ts': 'one\ntwo\nthree\nfour\n', 'b.ts': 'x\n' }

  it('applies an envelope that adds, updates, moves and deletes', async () => {
    const { use, read, root } = bench({ ...files, 'c.ts': 'keep\n' })
    const patch = `*** Begin Patch
*** Add File: src/new.ts
+first
+second
*** Update File: a.ts
@@ two
-three
+3
*** Delete File: b.ts
*** Update File: c.ts
*** Move to: d.ts
@@
 keep
+more
*** End Patch`
    expect(await use('apply_patch', { patch })).toMatchObject({ ok: true, summary: '5 files' })
    expect([read('src/new.ts'), read('a.ts'), read('d.ts')]).toEqual(['first\nsecond\n', 'one\ntwo\n3\nfour\n', 'keep\nmore\n'])
    expect([existsSync(join(root, 'b.ts')), existsSync(join(root, 'c.ts'))]).toEqual([false, false])
  })

  it('applies a unified diff, also with wrong line numbers and in a fence', async () => {
    const { use, read } = bench(files)
    const patch =
      '```diff\ndiff --git a/a.ts b/a.ts\n--- a/a.ts\n+++ b/a.ts\n@@ -90,3 +90,3 @@\n two\n-three\n+3\n four\n--- /dev/null\n+++ b/n.ts\n@@ -0,0 +1 @@\n+new\n```'
    expect(await use('apply_patch', { patch })).toMatchObject({ ok: true })
    expect([read('a.ts'), read('n.ts')]).toEqual(['one\ntwo\n3\nfour\n', 'new\n'])
  })

  it('uses the line number where the text alone does not decide', async () => {
    const { use, read } = bench({ 'a.ts': 'x\ny\nx\ny\n' })
    await use('apply_patch', { patch: '--- a/a.ts\n+++ b/a.ts\n@@ -3,2 +3,2 @@\n-x\n+z\n y\n' })
    expect(read('a.ts')).toBe('x\ny\nz\ny\n')
  })

  it('applies several hunks to one file', async () => {
    const { use, read } = bench(files)
    await use('apply_patch', { patch: '--- a/a.ts\n+++ b/a.ts\n@@ -1,1 +1,2 @@\n one\n+1.5\n@@ -4 +5 @@\n-four\n+4\n' })
    expect(read('a.ts')).toBe('one\n1.5\ntwo\nthree\n4\n')
  })

  it('changes nothing when one file does not fit', async () => {
    const { use, read } = bench(files)
    const patch = '*** Begin Patch\n*** Update File: a.ts\n@@\n-one\n+1\n*** Update File: b.ts\n@@\n-nope\n+y\n*** End Patch'
    const outcome = await use('apply_patch', { patch })
    expect(outcome.text).toBe(
      'apply_patch: "b.ts": the text to replace is not in the file, and no line of it is; read the file again with read_file. Nothing was changed.',
    )
    expect(read('a.ts')).toBe(files['a.ts'])
  })

  const refusals: [patch: string, problem: RegExp][] = [
    ['hello', /the patch names no file/],
    ['*** Begin Patch\n*** Add File: a.ts\n+x\n*** End Patch', /"a\.ts" is there already; update it/],
    ['*** Begin Patch\n*** Add File: n.ts\nx\n*** End Patch', /line 3 of the patch: every line of a new file begins with "\+", found `x`/],
    ['*** Begin Patch\n*** Rename File: n.ts\n*** End Patch', /line 2 of the patch: expected "\*\*\* Add File:"/],
    ['*** Begin Patch\n*** Update File: none.ts\n@@\n-a\n+b\n*** End Patch', /there is no file "none\.ts"/],
    ['*** Begin Patch\n*** Update File: a.ts\n*** Move to: b.ts\n*** End Patch', /"b\.ts" is there already; nothing is moved over it/],
    [
      '*** Begin Patch\n*** Update File: a.ts\n@@ nowhere()\n-two\n+2\n*** End Patch',
      /the line `nowhere\(\)` after "@@" is not in the file/,
    ],
    ['--- a/a.ts\n+++ b/a.ts\n@@ -1 +1 @@\n-one\n+1\nstray\n', /line 6 of the patch: a line of a hunk begins with/],
    ['*** Begin Patch\n*** Update File: a.ts\n*** End Patch', /"a\.ts" has no hunk/],
  ]
  it.each(refusals)('refuses %j', async (patch, problem) => {
    const outcome = await bench(files).use('apply_patch', { patch })
    expect(outcome.ok).toBe(false)
    expect(outcome.text).toMatch(problem)
  })
})

describe('run_command', () => {
  it('gives exit code, output and errors', async () => {
    const { use } = bench({ 'a.txt': 'hello' })
    expect((await use('run_command', { command: 'cat a.txt; echo oops >&2; exit 3' })).text).toBe('exit code 3\nhello\nstderr:\noops')
    expect((await use('run_command', { command: 'true' })).text).toBe('exit code 0\n(no output)')
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
