import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, it } from 'vitest'

const SRC = join(import.meta.dirname, '..')
const STATIC = /^(?:import|export)\s+(?!type\b)(?:[^'"\n]*?from\s+)?['"]([^'"]+)['"]/gm
const BLOCK = /^(?:import|export)\s+(?!type\b)\{([^}]*)\}\s+from\s+['"]([^'"]+)['"]/gm

/** What a file imports at once, types left out. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  const blocks = [...text.matchAll(BLOCK)].flatMap(([, names = '', from = '']) =>
    names.split(',').every((it) => it.trim() === '' || it.trim().startsWith('type ')) ? [] : [from],
  )
  const plain = [...text.matchAll(STATIC)].flatMap(([whole, from = '']) => (whole.includes('{') ? [] : [from]))
  return [...blocks, ...plain]
}

/** Everything that is loaded when these files are, as packages and as files below src/. */
function loadedWith(...entries: string[]): { packages: Set<string>; files: Set<string> } {
  const packages = new Set<string>()
  const files = new Set<string>()
  const visit = (file: string): void => {
    if (files.has(file)) return
    expect(existsSync(file), file).toBe(true)
    files.add(file)
    for (const it of importsOf(file)) {
      if (it.startsWith('.')) visit(normalize(join(dirname(file), it)))
      else if (!it.startsWith('node:')) packages.add(it)
    }
  }
  for (const it of entries) visit(join(SRC, it))
  return { packages, files }
}

it('reeve --help loads the parser and nothing else that is heavy', () => {
  const { packages, files } = loadedWith('main.ts', 'cli/main.ts', 'cli/terminal.ts')
  expect([...packages]).toEqual(['commander'])
  expect([...files].filter((it) => /src\/(?:operations|store|engine|models|agents|gates|app)/.test(it))).toEqual([])
})

it('a command that finds its daemon loads no more than what asks it', () => {
  const { packages, files } = loadedWith('connect.ts', 'daemon/find.ts')
  expect([...packages]).toEqual([])
  expect([...files].filter((it) => !/src\/(?:core|client|config\/home|daemon\/(?:find|place|private-files)|connect)/.test(it))).toEqual([])
})

it('a command loads no room itself: it asks the client', () => {
  const { packages, files } = loadedWith('cli/commands/run.ts', 'cli/commands/show.ts', 'cli/commands/gate.ts', 'cli/commands/demo.ts')
  expect([...packages]).toEqual([])
  expect([...files].filter((it) => !/src\/(?:cli|core|client)\//.test(it))).toEqual([])
})
