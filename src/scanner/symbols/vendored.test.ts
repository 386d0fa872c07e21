import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

it('has the vendored grammars exactly as NOTICE says', () => {
  const notice = readFileSync('NOTICE', 'utf8')
  for (const grammar of ['c', 'elixir']) {
    const path = `vendor/tree-sitter-${grammar}/tree-sitter-${grammar}.wasm`
    const sum = createHash('sha256').update(readFileSync(path)).digest('hex')
    expect(notice).toContain(path)
    expect(notice).toContain(`sha256 ${sum}`)
    expect(readFileSync(`vendor/tree-sitter-${grammar}/LICENSE`, 'utf8')).toMatch(/MIT License|Apache License/)
  }
})
