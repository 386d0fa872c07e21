import { describe, expect, it } from 'vitest'
import { permissionsSchema } from '../../core/role.ts'
import { fitsGlob } from './glob.ts'
import { writeRefusal } from './permissions.ts'

function refusal(path: string, permissions: { [key: string]: unknown }, protectedPaths: string[] = []): string | null {
  return writeRefusal(path, {
    role: 'r',
    permissions: permissionsSchema.parse(permissions),
    isTestFile: (it) => it.startsWith('test/') || it.includes('.test.'),
    protectedPaths,
  })
}

const READS = 'The role "r" only reads; put what you want to say into your answer.'
const TESTS = 'The role "r" may write test files only.'
const PRODUCTION = 'The role "r" may write any file that is not a test; tests belong to another role.'

describe('what a role may write', () => {
  const table: [path: string, permissions: { [key: string]: unknown }, expected: string | null][] = [
    ['src/a.ts', { write: 'all' }, null],
    ['src/a.test.ts', { write: 'all' }, null],
    ['src/a.ts', { write: 'production' }, null],
    ['src/a.test.ts', { write: 'production' }, `"src/a.test.ts" is a test file. ${PRODUCTION}`],
    ['src/a.test.ts', { write: 'tests' }, null],
    ['src/a.ts', { write: 'tests' }, `"src/a.ts" is not a test file. ${TESTS}`],
    ['src/a.ts', { write: 'none' }, `The role "r" may not write any file. ${READS}`],
    ['docs/x.md', { write: 'production', deny: ['docs/**'] }, `The role "r" may not write "docs/x.md" (deny: docs/**). ${PRODUCTION}`],
    [
      'a/b.lock',
      { write: 'all', deny: ['*.lock'] },
      'The role "r" may not write "a/b.lock" (deny: *.lock). The role "r" may write any other file.',
    ],
    ['.gitignore', { write: 'production' }, null],
    ['src/.github-like', { write: 'production' }, null],
    ['.github/workflows/ci.yml', { write: 'production' }, null],
  ]
  it.each(table)('%s with %o', (path, permissions, expected) => expect(refusal(path, permissions)).toBe(expected))

  it.each([
    'reeve.toml',
    'REEVE.TOML',
    'reeve.ci.toml',
    '.reeve/roles/implementer.yaml',
    '.reeve',
    '.Reeve/x',
    '.git/config',
    'sub/.git/hooks/pre-commit',
    '.GIT/config',
    '.gitmodules',
    '.gitattributes',
    'sub/.gitattributes',
  ])('nobody may write %s', (path) => expect(refusal(path, { write: 'all' })).toMatch(/nobody may change it/))

  it('refuses protected paths for every role, and names the rule', () => {
    expect(refusal('test/spec.test.ts', { write: 'all' }, ['test/spec.test.ts'])).toBe(
      '"test/spec.test.ts" is protected in this run (test/spec.test.ts). The role "r" may write any other file.',
    )
    expect(refusal('ci/run', { write: 'production' }, ['ci/'])).toContain('is protected in this run (ci/)')
  })
})

describe('globs', () => {
  const table: [path: string, glob: string, fits: boolean][] = [
    ['src/a.ts', 'src/*.ts', true],
    ['src/b/a.ts', 'src/*.ts', false],
    ['src/b/a.ts', 'src/**/*.ts', true],
    ['src/a.ts', 'src/**/*.ts', true],
    ['x/y/a.ts', '*.ts', true],
    ['a.ts', '/a.ts', true],
    ['x/a.ts', '/a.ts', false],
    ['.github/workflows/ci.yml', '.github/**', true],
    ['.github/workflows/ci.yml', '.github', true],
    ['docs/a/b.md', 'docs/', true],
    ['a.spec.ts', '*.{test,spec}.ts', true],
    ['a.prod.ts', '*.{test,spec}.ts', false],
    ['a+b(c).ts', 'a+b(c).ts', true],
    ['aab(c).ts', 'a+b(c).ts', false],
    ['src/ab.ts', 'src/a?.ts', true],
    ['src/a.tsx', 'src/*.{ts,{js,ts}x}', true],
    ['src/a.tx', 'src/*.{ts,{js,ts}x}', false],
    ['a/b/src/c.ts', '**/src/**', true],
    ['a/bsrc/c.ts', '**/src/**', false],
    ['a/b.ts', 'a**', true],
  ]
  it.each(table)('%s fits %s: %s', (path, glob, fits) => expect(fitsGlob(path, glob)).toBe(fits))

  it('are asked in a time that neither a long name nor many stars or braces can blow up', () => {
    const began = performance.now()
    expect(fitsGlob('a'.repeat(250), `${'*a'.repeat(40)}b`)).toBe(false)
    expect(fitsGlob('a/'.repeat(120), `${'**/'.repeat(40)}b`)).toBe(false)
    expect(fitsGlob('x', '{a,b}'.repeat(40))).toBe(false)
    expect(performance.now() - began).toBeLessThan(1000)
  })
})
