import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { makeRepository } from '../../test/support/repository.ts'
import type { Checkout } from '../workspace/port.ts'
import { repoMap } from './repo-map.ts'
import { symbolReader } from './symbols.ts'

const reader = symbolReader()
afterAll(() => reader.close())

function checkout(path: string, targetDir = '.'): Checkout {
  return { path, targetDir, env: {} }
}

const SHOP = {
  'src/money.ts': 'export interface Money { cents: number }\nexport function addMoney(a: Money, b: Money): Money {\n  return a\n}\n',
  'src/cart.ts':
    "import { addMoney, type Money } from './money.ts'\nexport class ShoppingCart {\n  total(): Money {\n    return addMoney(a, b)\n  }\n}\n",
  'src/checkout.ts':
    "import { ShoppingCart } from './cart.ts'\nimport { addMoney } from './money.ts'\nexport function payAtCheckout(cart: ShoppingCart) {}\n",
  'src/unrelated.ts': 'export function paintFence() {}\n',
  'src/cart.test.ts': "import { ShoppingCart } from './cart.ts'\nnew ShoppingCart()\n",
  'tool.py': 'def sharpen_tool(x):\n    pass\n',
  'notes.kt': 'fun main() {}\n',
  'README.md': '# Shop\n',
}

/** Files of a map in its order. */
function filesOf(map: string): string[] {
  return [...map.matchAll(/^(\S+):$/gm)].map((it) => it[1] ?? '')
}

describe('the map of a repository', () => {
  it('shows files with the signatures of what they define, what others refer to first', async () => {
    const map = await repoMap(checkout(makeRepository(SHOP)), { tokens: 1000 }, reader)
    expect(filesOf(map)[0]).toBe('src/money.ts')
    expect(map).toContain('src/money.ts:\n  1: export interface Money\n  2: export function addMoney(a: Money, b: Money): Money\n')
    expect(map).toContain('src/cart.ts:\n  2: export class ShoppingCart\n    3: total(): Money\n')
    expect(map).toContain('tool.py:\n  1: def sharpen_tool(x):\n')
    expect(map).toContain('Other files:\n')
    expect(map).toContain('\nnotes.kt')
    expect(map).not.toContain('README.md')
  })

  it('puts what the query names first', async () => {
    const root = makeRepository(SHOP)
    const map = await repoMap(checkout(root), { tokens: 1000, query: 'The fence must be painted: paintFence' }, reader)
    expect(filesOf(map)[0]).toBe('src/unrelated.ts')
  })

  it('puts the files in focus first', async () => {
    const map = await repoMap(checkout(makeRepository(SHOP)), { tokens: 1000, focus: ['tool.py'] }, reader)
    expect(filesOf(map)[0]).toBe('tool.py')
  })

  it('never takes more than its budget, and counts what it does not show', async () => {
    const root = makeRepository(SHOP)
    for (const tokens of [40, 60, 100]) {
      const map = await repoMap(checkout(root), { tokens }, reader)
      expect(map.length).toBeLessThanOrEqual(tokens * 3.6)
      expect(map).toMatch(/\(not shown: \d+ symbols, \d+ files\)$/)
    }
    expect((await repoMap(checkout(root), { tokens: 3 }, reader)).length).toBeLessThanOrEqual(10)
  })

  it('is the same for the same files', async () => {
    const root = makeRepository(SHOP)
    const request = { tokens: 150, query: 'cart', focus: ['src/money.ts'] }
    const first = await repoMap(checkout(root), request, reader)
    const fresh = symbolReader()
    expect(await repoMap(checkout(root), request, fresh)).toBe(first)
    await fresh.close()
  })

  it('sees what changed since', async () => {
    const root = makeRepository(SHOP)
    await repoMap(checkout(root), { tokens: 1000 }, reader)
    writeFileSync(join(root, 'src/unrelated.ts'), 'export function mendFence() {}\n')
    rmSync(join(root, 'tool.py'))
    const map = await repoMap(checkout(root), { tokens: 1000 }, reader)
    expect(map).toContain('mendFence')
    expect(map).not.toContain('sharpen_tool')
  })

  it('is restricted to the target folder', async () => {
    const root = makeRepository({
      'packages/a/a.ts': 'export const inA = 1\n',
      'packages/b/b.ts': 'export const inB = 1\n',
      'top.ts': 'export const top = 1\n',
    })
    const map = await repoMap(checkout(root, 'packages/a'), { tokens: 500 }, reader)
    expect(filesOf(map)).toEqual(['packages/a/a.ts'])
  })

  it('says so when there are more files than it reads, and reads the imported, the named and those in focus', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [`src/file-${at}.ts`, `import { hub } from './hub.ts'\nexport const value${at} = hub\n`]),
    )
    const root = makeRepository({ ...many, 'src/hub.ts': 'export const hub = 1\n', 'src/zebra-stripes.ts': 'export const zebra = 1\n' })
    const map = await repoMap(checkout(root), { tokens: 2000, most: 3, query: 'zebra', focus: ['src/file-7.ts'] }, reader)
    expect(filesOf(map).toSorted()).toEqual(['src/file-7.ts', 'src/hub.ts', 'src/zebra-stripes.ts'])
    expect(map).toContain('(3 of 32 source files were read for this map)')
  })

  it('names a file that could not be parsed and goes on', async () => {
    const root = makeRepository({ 'good.py': 'def good():\n    pass\n', 'bad.py': 'BAD = 1\n' })
    const broken = symbolReader({
      ...reader.thread,
      outline: (grammar, text) =>
        text.startsWith('BAD') ? Promise.reject(new Error('parsing took longer than 2 s')) : reader.thread.outline(grammar, text),
    })
    const map = await repoMap(checkout(root), { tokens: 500 }, broken)
    expect(filesOf(map)).toEqual(['good.py'])
    expect(map).toContain('(bad.py was left out: parsing took longer than 2 s)')
  })

  it('is empty for an empty repository, and for one without sources', async () => {
    expect(await repoMap(checkout(makeRepository({})), { tokens: 500 }, reader)).toBe('')
    expect(await repoMap(checkout(makeRepository({ 'README.md': 'x' })), { tokens: 500 }, reader)).toBe('')
  })

  it('leaves out a binary file under the name of a source file', async () => {
    const root = makeRepository({ 'video.ts': 'G\0\0export const frame = 1', 'a.ts': 'export const a = 1' })
    expect(await repoMap(checkout(root), { tokens: 500 }, reader)).not.toContain('frame')
  })
})
