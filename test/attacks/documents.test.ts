import { describe, expect, it } from 'vitest'
import { parseRole } from '../../src/agents/roles.ts'
import { loadSettings } from '../../src/config/load.ts'
import { parseReplies } from '../../src/models/scripted-file.ts'
import { readTaskFiles } from '../../src/operations/task-file.ts'

/** How each kind of document is read, with what must be in it. */
const KINDS = {
  'a task': { text: 'id: a\ntitle: t\ndescription: d\n', read: async (text: string) => readTaskFiles([{ name: 'f.yaml', text }]) },
  'a role': { text: 'name: a\nprompt: x\n', read: async (text: string) => parseRole(text, 'f.yaml') },
  'a file of replies': { text: 'replies:\n  - text: a\n', read: async (text: string) => parseReplies(text, 'f.yaml') },
} as const

const BOMB = [
  'a: &a [x,x,x,x,x,x,x,x,x]',
  ...'bcdefgh'.split('').map((it, at) => `${it}: &${it} [${Array(9).fill(`*${'abcdefgh'[at]}`).join(',')}]`),
].join('\n')

const HOSTILE: readonly [what: string, text: string, says: RegExp][] = [
  ['a bomb of aliases', `${BOMB}\n`, /alias/i],
  ['a tag that makes a function', 'x: !!js/function "function () {}"\n', /Unresolved tag/],
  ['a tag that makes an expression', 'x: !!js/regexp /a/\n', /Unresolved tag/],
  ['a key that is there twice', 'y: 1\ny: 2\n', /Map keys must be unique/],
  ['the prototype of an object', '__proto__: { polluted: true }\n', /__proto__/],
  ['lists in lists in lists', `x: ${'['.repeat(50_000)}${']'.repeat(50_000)}\n`, /f\.yaml:\d+: /],
]

describe('a hostile document is refused with its place', () => {
  for (const [kind, { text, read }] of Object.entries(KINDS)) {
    it.each(HOSTILE)(`${kind}: %s`, async (_, more, says) => {
      const at = kind === 'a file of replies' && !more.startsWith('a: &a') ? more.replaceAll(/^/gm, '    ').trimEnd() : more
      await expect(read(text + at)).rejects.toThrow(says)
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    })
  }

  it.each([
    ['a task', 'budget: { tokens: 99999999999999999999999 }\n'],
    ['a task', 'budget: { tokens: 9007199254740993 }\n'],
    ['a role', 'max_steps: 99999999999999999999999\n'],
    ['a file of replies', '    times: 99999999999999999999999\n'],
  ] as const)('%s: a number that no computer holds exactly, %j', async (kind, more) => {
    await expect(KINDS[kind].read(KINDS[kind].text + more)).rejects.toThrow(/9007199254740991/)
  })

  it.each([
    ['values that only YAML knows', 'x: !!binary aGVsbG8=\n', /must be a text, a number/],
    ['a prototype further down', 'context: { deep: [{ __proto__: { a: 1 } }] }\n', /__proto__/],
  ])('a task: %s', async (_, more, says) => {
    await expect(KINDS['a task'].read(KINDS['a task'].text + more)).rejects.toThrow(says)
  })
})

describe('hostile settings are refused with their line', () => {
  const load = (text: string) =>
    loadSettings({ projectRoot: '/nowhere', readProjectFile: async (path) => (path === 'reeve.toml' ? text : null), env: {} })

  it.each([
    ['a number that no computer holds exactly', '[runs]\nmax_tokens = 99999999999999999999999\n', /reeve\.toml:2: .*losslessly/],
    ['a number larger than any text', '[runs]\nmax_tokens = 9007199254740993\n', /reeve\.toml:2: /],
    ['a key that is there twice', '[runs]\nmax_steps = 1\nmax_steps = 2\n', /reeve\.toml:3: /],
    ['a prototype', '[runs]\n"__proto__" = 1\n', /unknown key "runs\.__proto__"/],
    ['a prototype of a table', '["__proto__"]\npolluted = 1\n', /__proto__/],
    ['a constructor', '[runs.constructor]\nprototype = 1\n', /unknown key "runs\.constructor/],
    ['lists in lists in lists', `[project]\nsetup = ${'['.repeat(50_000)}${']'.repeat(50_000)}\n`, /reeve\.toml:2: /],
  ])('%s', async (_, text, says) => {
    await expect(load(text)).rejects.toThrow(says)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})
