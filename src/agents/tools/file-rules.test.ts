import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeRole } from '../../../test/support/agent.ts'
import { type Bench, bench } from '../../../test/support/tool-bench.ts'
import type { ProgramResult, ProgramSpec } from '../../process/port.ts'
import { runProgram } from '../../process/run-program.ts'

const SECRET = 'topsecret-value'
const FILES = {
  '.env': `KEY=${SECRET}\n`,
  'sub/.ENV': `KEY=${SECRET}\n`,
  'certs/server.pem': `${SECRET}\n`,
  'private/plan.md': `${SECRET}\n`,
  'src/a.ts': `const note = '${SECRET.slice(0, 9)}'\n`,
}
const RULES = { forbidden: ['.env', '*.pem', 'private/**'] }
const HIDDEN = ['.env', 'sub/.ENV', 'certs/server.pem', 'private/plan.md']

async function withoutRipgrep(spec: ProgramSpec): Promise<ProgramResult> {
  return runProgram(spec.argv[0].endsWith('rg') ? { ...spec, argv: ['/no/such/program'] } : spec)
}

const patchOf = (path: string) => `*** Begin Patch\n*** Update File: ${path}\n@@\n-KEY=${SECRET}\n+KEY=x\n*** End Patch`

describe('forbidden files', () => {
  it('are neither read nor written by any tool, and the sentence names the rule and the next move', async () => {
    const { use, read } = bench(FILES, { rules: RULES })
    expect((await use('read_file', { path: '.env' })).text).toBe(
      'read_file: ".env" may be neither read nor written in this run (forbidden: .env). Do without it, and say in your answer what you would have needed.',
    )
    for (const path of HIDDEN) {
      const outcomes = [
        await use('read_file', { path }),
        await use('write_file', { path, content: 'x' }),
        await use('edit_file', { path, old: 'KEY', new: 'x' }),
        await use('delete_file', { path }),
        await use('apply_patch', { patch: patchOf(path) }),
        await use('search_text', { pattern: 'KEY', path }),
      ]
      for (const { ok, text } of outcomes) {
        expect({ ok, said: text.includes('may be neither read nor written'), told: text.includes(SECRET) }, text).toEqual({
          ok: false,
          said: true,
          told: false,
        })
      }
      expect(read(path)).toContain(SECRET)
    }
  })

  it('cannot be made, nor be the target of a move', async () => {
    const { use, root } = bench({ 'a.txt': 'x\n' }, { rules: RULES })
    const patch = '*** Begin Patch\n*** Update File: a.txt\n*** Move to: private/a.txt\n@@\n-x\n+y\n*** End Patch'
    expect((await use('apply_patch', { patch })).text).toMatch(/forbidden: private\/\*\*/)
    expect((await use('write_file', { path: 'x/.env', content: 'A=1' })).ok).toBe(false)
    expect([existsSync(join(root, 'private')), existsSync(join(root, 'x'))]).toEqual([false, false])
  })

  const runners = [
    ['by ripgrep', runProgram],
    ['where ripgrep cannot be started', withoutRipgrep],
  ] as const
  it.each(runners)('are not listed, and searching does not print them: %s', async (_, runner) => {
    const { use } = bench(FILES, { rules: RULES, runProgram: runner })
    expect((await use('list_files', {})).text).toBe('src/a.ts')
    expect((await use('search_text', { pattern: 'topsecret' })).text).toBe("src/a.ts:1:const note = 'topsecret'")
    expect((await use('search_text', { pattern: 'KEY' })).text).toBe('No match.')
    expect((await use('search_text', { pattern: SECRET, path: 'private' })).text).toBe('No match.')
  })

  it('stay unseen where the output of a search is so long that its middle is cut out', async () => {
    const noise = Object.fromEntries(Array.from({ length: 120 }, (_, at) => [`n${at}.txt`, `${'hit '.repeat(90)}\n`.repeat(50)]))
    const hidden = Object.fromEntries(
      Array.from({ length: 120 }, (_, at) => [`private/n${at}`, `${`hit ${SECRET} `.repeat(15)}\n`.repeat(50)]),
    )
    const { use } = bench({ ...noise, ...hidden }, { rules: RULES })
    const { text } = await use('search_text', { pattern: 'hit' })
    expect(text).toContain('n0.txt:1:hit')
    expect(text).not.toContain(SECRET)
  })

  it('can be named by a role, too', async () => {
    const { permissions } = makeRole({ permissions: { write: 'all', forbidden: ['src/**'] } })
    const { use } = bench(FILES, { permissions })
    expect((await use('read_file', { path: 'src/a.ts' })).text).toContain('(forbidden: src/**)')
  })

  it('are what usually holds secrets where nothing is set; an example of one is no secret', async () => {
    const { use } = bench({ ...FILES, '.env.example': 'KEY=\n', id_rsa: 'x', 'a/.env.local': 'x' })
    expect((await use('list_files', {})).text.split('\n')).toEqual(['.env.example', 'private/plan.md', 'src/a.ts'])
  })

  it('are left out of the map', async () => {
    const seen: boolean[] = []
    const { use } = bench(FILES, {
      rules: RULES,
      repoMap: async (_checkout, { leaveOut }) => {
        seen.push(leaveOut?.('private/plan.md') ?? false, leaveOut?.('src/a.ts') ?? false)
        return 'map'
      },
    })
    await use('repo_map', {})
    expect(seen).toEqual([true, false])
  })
})

describe('extensions', () => {
  const rules = { extensions: ['.ts', 'md', 'Makefile'] }
  it('that are not on the list cannot be written; everything can be read', async () => {
    const { use } = bench({ 'run.sh': 'x\n', 'a.ts': 'x\n' }, { rules })
    const refusal = 'may not be written: in this project agents write only .ts, md, Makefile (files.extensions).'
    expect((await use('write_file', { path: 'run.sh', content: 'y' })).text).toBe(`write_file: "run.sh" ${refusal}`)
    expect((await use('delete_file', { path: 'run.sh' })).text).toBe(`delete_file: "run.sh" ${refusal}`)
    expect((await use('read_file', { path: 'run.sh' })).ok).toBe(true)
    const patch = '*** Begin Patch\n*** Update File: a.ts\n*** Move to: a.sh\n@@\n-x\n+y\n*** End Patch'
    expect((await use('apply_patch', { patch })).text).toContain(`"a.sh" ${refusal}`)
    for (const path of ['b.ts', 'B.TS', 'x/readme.md', 'Makefile']) {
      expect(await use('write_file', { path, content: 'y' }), path).toMatchObject({ ok: true })
    }
    expect((await use('write_file', { path: 'notts', content: 'y' })).ok).toBe(false)
  })
})

describe('sizes and numbers', () => {
  it('a larger file is neither read nor written, and the setting is named', async () => {
    const { use } = bench({ 'big.txt': 'x'.repeat(2000) }, { rules: { max_size_mb: 0.001 } })
    expect((await use('read_file', { path: 'big.txt' })).text).toMatch(/2000 bytes, more than the 1048 that may be read/)
    expect((await use('write_file', { path: 'new.txt', content: 'y'.repeat(2000) })).text).toMatch(
      /would be larger than .* MiB \(files\.max_size_mb\); write smaller files/,
    )
  })

  const write = async ({ use }: Bench, path: string) => use('write_file', { path, content: path })
  it('more files than a step may write are refused; the same file again is none more', async () => {
    const made = bench({ 'old.txt': 'x' }, { rules: { max_files: 3 } })
    for (const path of ['a', 'b', 'c']) expect(await write(made, path)).toMatchObject({ ok: true })
    expect(await made.use('write_file', { path: 'a', content: 'again' })).toMatchObject({ ok: true })
    expect((await write(made, 'd')).text).toBe(
      'write_file: One step may write or delete 3 files (files.max_files), 3 are written. Finish with what is done, and say what is left.',
    )
    expect((await made.use('delete_file', { path: 'old.txt' })).ok).toBe(false)
  })

  it('a patch that goes over the number changes nothing', async () => {
    const { use, root } = bench({}, { rules: { max_files: 2 } })
    const patch = `*** Begin Patch\n${['a', 'b', 'c'].map((it) => `*** Add File: ${it}\n+x\n`).join('')}*** End Patch`
    expect((await use('apply_patch', { patch })).text).toMatch(/One step may write or delete 2 files.*Nothing was changed\.$/)
    expect(existsSync(join(root, 'a'))).toBe(false)
  })
})

describe('names of new files', () => {
  it.each(['x /y', 'aux.ts', 'a:b', '-rf', 'x./y', 'a\u202Egnp.ts', 'a\u200Bb', 'a\u0007', 'a\\b'])(
    '%j is refused by every tool that makes one',
    async (path) => {
      const { use } = bench({ 'old.txt': 'x\n' })
      const patch = (lines: string) => `*** Begin Patch\n${lines}\n*** End Patch`
      for (const outcome of [
        await use('write_file', { path, content: 'x' }),
        await use('apply_patch', { patch: patch(`*** Add File: ${path}\n+x`) }),
        await use('apply_patch', { patch: patch(`*** Update File: old.txt\n*** Move to: ${path}\n@@\n-x\n+y`) }),
      ]) {
        expect(outcome).toMatchObject({ ok: false })
        expect(outcome.text).toMatch(/^\w+: The path ".*" is refused: /)
      }
    },
  )

  it('that are there already can be edited', async () => {
    const { use, read } = bench({ 'aux.ts': 'x\n' })
    expect(await use('edit_file', { path: 'aux.ts', old: 'x', new: 'y' })).toMatchObject({ ok: true })
    expect(read('aux.ts')).toBe('y\n')
  })
})
