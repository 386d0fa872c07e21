import { afterAll, expect, it } from 'vitest'
import { makeRepository } from '../../test/support/repository.ts'
import { repoSymbols } from './repo-symbols.ts'
import { symbolReader } from './symbols.ts'

const reader = symbolReader()
afterAll(() => reader.close())

const FILES = {
  'src/größe.ts': 'export class A {\n  b() {}\n}\n',
  'lib/a.ex': 'defmodule A do\n  def b, do: 1\nend\n',
  'c.c': 'int c(void) { return 1; }\n',
  'notes.md': '# x\n',
}

it('gives the symbols of every source, by file and line', async () => {
  const root = makeRepository(FILES)
  const { symbols, skipped } = await repoSymbols({ path: root, targetDir: '.', env: {} }, undefined, reader)
  expect(symbols.map((it) => `${it.file}:${it.line} ${it.kind} ${it.name}`)).toEqual([
    'c.c:1 function c',
    'lib/a.ex:1 module A',
    'lib/a.ex:2 function b',
    'src/größe.ts:1 class A',
    'src/größe.ts:2 method b',
  ])
  expect(skipped).toEqual([])
})

it('gives those of the files that are asked for, or of the target folder', async () => {
  const root = makeRepository(FILES)
  const asked = await repoSymbols({ path: root, targetDir: '.', env: {} }, ['c.c', 'notes.md'], reader)
  expect(asked.symbols.map((it) => it.name)).toEqual(['c'])
  const target = await repoSymbols({ path: root, targetDir: 'lib', env: {} }, undefined, reader)
  expect(target.symbols.map((it) => it.name)).toEqual(['A', 'b'])
})

it('names files that could not be parsed or read, and goes on', async () => {
  const root = makeRepository({ ...FILES, 'video.ts': 'a\0b' })
  const broken = symbolReader({
    ...reader.thread,
    outline: (grammar, text) =>
      grammar === 'elixir' ? Promise.reject(new Error('parsing took longer than 2 s')) : reader.thread.outline(grammar, text),
  })
  const { symbols, skipped } = await repoSymbols({ path: root, targetDir: '.', env: {} }, undefined, broken)
  expect(symbols.map((it) => it.name)).toEqual(['c', 'A', 'b'])
  expect(skipped).toEqual([
    { path: 'video.ts', reason: 'binary' },
    { path: 'lib/a.ex', reason: 'parsing took longer than 2 s' },
  ])
})
