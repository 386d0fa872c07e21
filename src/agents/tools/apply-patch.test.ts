import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bench } from '../../../test/support/tool-bench.ts'

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
      '*** Begin Patch\n*** Add File: n.ts\n+x\n*** Update File: a.ts\n*** Move to: n.ts\n*** End Patch',
      /"n\.ts" is there already; nothing is moved over it/,
    ],
    ['*** Begin Patch\n*** Update File: a.ts\n*** Move to: a.ts\n*** End Patch', /"a\.ts" is there already; nothing is moved over it/],
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
