import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const SOURCES = globSync('src/**/*.ts', { cwd: ROOT })
  .filter((it) => !it.endsWith('.test.ts'))
  .toSorted()
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** Who may start git, and what for. Everybody else goes through `workspace/git.ts`, which no planted hook, filter or setting gets past. */
const STARTS_GIT: Readonly<Record<string, string>> = {
  'src/workspace/git.ts': 'the one way to call it',
  'src/operations/doctor.ts': 'asks its version',
  'src/operations/demo/demo.ts': 'makes the project of the demo, as a user would',
}

it('nobody but workspace/git.ts starts git', () => {
  const found = SOURCES.filter((path) => /[[(]\s*['"`](?:[\w./-]*\/)?git['"`]\s*[,\])]/.test(text(path)))
  expect(found).toEqual(Object.keys(STARTS_GIT).toSorted())
})

it('nobody but process/ starts programs', () => {
  const found = SOURCES.filter((path) => /['"`](?:node:)?child_process['"`]/.test(text(path)))
  expect(found.filter((it) => !it.startsWith('src/process/'))).toEqual([])
})

it('what is made below the folder for temporary files has a name that nobody can foresee, and is its maker’s alone', () => {
  const odd = SOURCES.flatMap((path) =>
    text(path)
      .split('\n')
      .filter((line) => /\btmpdir\(\)/.test(line) && !/\bmkdtemp(?:Sync)?\(join\([^,]*\btmpdir\(\), '[\w-]+-'\)\)/.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  )
  expect(odd).toEqual([])
})

it('no path below /tmp is written down, except as a sandbox shows it to programs', () => {
  const odd = SOURCES.filter((it) => !it.startsWith('src/sandbox/')).flatMap((path) =>
    text(path)
      .split('\n')
      .filter((line) => /['"`]\/(?:var\/)?tmp\//.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  )
  expect(odd).toEqual([])
})
