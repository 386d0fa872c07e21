import { describe, expect, it } from 'vitest'
import { type SeatbeltView, seatbeltProfile } from './macos-profile.ts'

const view: SeatbeltView = {
  readable: ['/Users/ada/.nvm/versions'],
  writable: ['/Users/ada/runs/one/tree', '/Users/ada/runs/one/home'],
  guarded: ['/Users/ada/runs/one/tree/.git'],
  hidden: [],
  sockets: [],
}
const lines = (more: Partial<SeatbeltView> = {}) => seatbeltProfile({ ...view, ...more }).split('\n')
const at = (all: readonly string[], start: string) => all.findIndex((it) => it.startsWith(start))

/** Reads a profile as its language does: nested lists of words and strings. Throws where brackets or quotes do not fit. */
function read(text: string): unknown[] {
  const stack: unknown[][] = [[]]
  const token = /\s+|\(|\)|"((?:[^"\\]|\\.)*)"|[^\s()"]+/gsy
  while (token.lastIndex < text.length) {
    const from = token.lastIndex
    const found = token.exec(text)
    if (!found) throw new Error(`not a word: ${text.slice(from, from + 20)}`)
    const [word, string] = found
    const top = stack.at(-1) ?? []
    if (word === '(') stack.push([])
    else if (word === ')') stack.at(-2)?.push(stack.pop())
    else if (string !== undefined) top.push({ string: string.replaceAll(/\\(.)/gs, '$1') })
    else if (word.trim() !== '') top.push(word)
  }
  if (stack.length !== 1) throw new Error('brackets do not fit')
  return stack[0] ?? []
}

describe('a profile for sandbox-exec', () => {
  it('begins by denying everything', () => {
    expect(lines().slice(0, 3)).toEqual(['(version 1)', '(deny default)', '(import "system.sb")'])
  })

  it('lets the tree and the home be written, then denies the git file in it: the later rule counts', () => {
    const all = lines()
    const allowed = '(allow file-write* (subpath "/Users/ada/runs/one/tree") (subpath "/Users/ada/runs/one/home"))'
    expect(all).toContain(allowed)
    const denied = '(deny file-write* (subpath "/Users/ada/runs/one/tree/.git"))'
    expect(all.indexOf(denied)).toBeGreaterThan(all.indexOf(allowed))
    expect(all.slice(all.indexOf(denied) + 1).join('\n')).not.toContain('file-write')
  })

  it('denies what is hidden within the tree, after all that is allowed', () => {
    const all = lines({ hidden: ['/Users/ada/runs/one/tree/.opencode'] })
    const denied = '(deny file-read* file-write* (subpath "/Users/ada/runs/one/tree/.opencode"))'
    expect(all.indexOf(denied)).toBeGreaterThan(at(all, '(allow file-read* (subpath'))
    expect(all.slice(all.indexOf(denied) + 1).join('\n')).not.toMatch(/allow file-/)
  })

  it('lets the system and toolchains be read, and of the folders around them only that they are there', () => {
    const all = lines()
    const read = all.filter((it) => it.startsWith('(allow file-read* (subpath'))
    expect(read).toHaveLength(1)
    for (const path of ['/usr', '/System', '/opt/homebrew', '/Users/ada/.nvm/versions', '/Users/ada/runs/one/tree']) {
      expect(read[0]).toContain(`(subpath "${path}")`)
    }
    expect(read[0]).not.toContain('(subpath "/Users/ada")')
    expect(read[0]).not.toContain('(subpath "/private/tmp")')
    const around = all[at(all, '(allow file-read-metadata')]
    expect(around).toContain('(literal "/Users/ada/runs/one")')
    expect(around).toContain('(literal "/Users/ada")')
  })

  it('denies the network and then allows the loopback, and sockets only where they are named', () => {
    const all = lines()
    expect(at(all, '(allow network* (local ip "localhost:*"))')).toBe(at(all, '(deny network*)') + 1)
    expect(all.join('\n')).not.toContain('(allow network-outbound (literal')
    expect(lines({ sockets: ['/Users/ada/s/out'] })).toContain('(allow network-outbound (literal "/Users/ada/s/out"))')
  })

  it.each(['/a "b"', String.raw`/a\b`, '/a)(allow default)(', '/é/日本 🙂', String.raw`/a\") (allow file-write* (subpath "/`, "/it's; (x"])(
    'holds a path as it is, and nothing more: %s',
    (path) => {
      const rules = read(seatbeltProfile({ ...view, writable: [path] }))
      expect(rules).toContainEqual(['allow', 'file-write*', ['subpath', { string: path }]])
      expect(rules).toHaveLength(read(seatbeltProfile({ ...view, writable: ['/x'] })).length)
    },
  )

  it.each(['/a\nb', '/a\0b', '/a\u001Bb', '/a\uD800b', ''])('refuses a path that no string can hold: %j', (path) => {
    expect(() => seatbeltProfile({ ...view, writable: [path] })).toThrow('cannot be written into a profile')
  })
})
