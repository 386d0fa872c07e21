import { describe, expect, it } from 'vitest'
import { readBody } from './body.ts'
import { checkJson } from './strict.ts'

function body(
  text: string | Uint8Array<ArrayBuffer> | ReadableStream,
  type: string | null = 'application/json',
  headers: Record<string, string> = {},
): Promise<unknown> {
  const init = { method: 'POST', body: text, duplex: 'half', headers: { ...(type === null ? {} : { 'content-type': type }), ...headers } }
  const request = new Request('http://a/', init as RequestInit)
  if (type === null) request.headers.delete('content-type')
  return readBody(request, 100_000)
}

async function refusal(text: Parameters<typeof body>[0], type?: string | null, headers?: Record<string, string>): Promise<string> {
  return body(text, type, headers).then(
    (it) => `taken: ${JSON.stringify(it)}`,
    (error: Error) => error.message,
  )
}

const YAML = 'application/yaml'
const BOMB = `a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n`

describe('a body', () => {
  it('is JSON or YAML, and none is an empty table', async () => {
    expect(await body('{"a": [1, "two", null]}', 'application/json; charset=utf-8')).toEqual({ a: [1, 'two', null] })
    expect(await body('a: [1, two, null]\ntext: |\n  lines\n  more\n', 'text/yaml')).toEqual({ a: [1, 'two', null], text: 'lines\nmore\n' })
    expect(await readBody(new Request('http://a/', { method: 'POST' }))).toEqual({})
  })

  it.each([
    ['text', 'a=1', 'text/plain', 'The body is "text/plain"; allowed: application/json, application/yaml, text/yaml.'],
    ['a form', 'a=1', 'application/x-www-form-urlencoded', 'The body is "application/x-www-form-urlencoded"; allowed:'],
    ['no type', '{}', null, 'The body is "of no type"; allowed:'],
    ['broken JSON', '{"a": 1,}', undefined, 'Expected double-quoted property name in JSON at position 8'],
    ['two keys alike', '{"a": {"b": 1, "\\u0062": 2}}', undefined, 'the key "b" is there twice'],
    ['__proto__', '{"a": {"__proto__": {"admin": true}}}', undefined, 'the body has a key that no table may have at "a"'],
    ['a huge number', '{"limit": 9007199254740993}', undefined, 'the body has a number that is too large at "limit"'],
    ['infinity', '{"limit": 1e999}', undefined, 'the body has a number that is too large at "limit"'],
    ['NUL', '{"sentence": ["a\\u0000b"]}', undefined, 'the body has NUL at "sentence.0"'],
    ['a tower', `${'['.repeat(200)}${']'.repeat(200)}`, undefined, 'nested deeper than 100 levels'],
    ['too much', JSON.stringify('x'.repeat(100_000)), undefined, 'The body is larger than 100000 bytes.'],
    ['broken YAML', 'a: [1\nb: 2', YAML, 'the body, line 2, column'],
    ['YAML keys alike', 'a: 1\na: 2', YAML, 'the body, line 2, column 1: Map keys must be unique'],
    ['YAML aliases', BOMB, YAML, 'the body, line 2, column 8: aliases are not taken'],
    ['a YAML table as a key', '? {a: 1}\n: b', YAML, 'Map keys must be texts'],
    ['a YAML merge', 'a: &x {b: 1}\n<<: *x', YAML, 'aliases are not taken'],
    ['a YAML tag', 'a: !!js/function "() => 1"', YAML, 'the body, line 1, column 4: Unresolved tag'],
    ['a YAML __proto__', '__proto__: {admin: true}', YAML, 'the body has a key that no table may have'],
    ['a huge YAML number', 'limit: 123456789012345678901234567890', YAML, 'the body has a number that is too large'],
    ['YAML infinity', 'limit: .inf', YAML, 'the body has a number that is too large'],
    ['two YAML documents', 'a: 1\n---\nb: 2', YAML, 'the body, line 2, column 1'],
  ] as const)('with %s is refused, and says where', async (_, text, type, expected) => {
    expect(await refusal(text, type)).toContain(expected)
  })

  it('that never ends or is packed is refused', async () => {
    const endless = new ReadableStream({ pull: (it) => it.enqueue(new Uint8Array(50_000)) })
    expect(await refusal(endless)).toBe('The body is larger than 100000 bytes.')
    expect(await refusal('{}', undefined, { 'content-length': '100001' })).toBe('The body is larger than 100000 bytes.')
    expect(await refusal('{}', undefined, { 'content-encoding': 'gzip' })).toBe('The body is "gzip"; allowed: no encoding.')
    expect(await refusal(Uint8Array.from([0x22, 0xff, 0x22]))).toContain('it is not UTF-8')
  })
})

it('finds the key that a table has twice, and no other', () => {
  for (const fine of [
    '[{"a": 1}, {"a": 1, "b": {"a": ["a", "a"]}}]',
    '{"a": "b", "b": "a", "c": "{\\"a\\": 1, \\"a\\": 2}"}',
    '"a',
    '{"a',
    '}{]"',
  ]) {
    expect(() => checkJson(fine), fine).not.toThrow()
  }
  expect(() => checkJson('[[{"a": 1, "b": [], "a": 2}]]')).toThrow('the key "a" is there twice')
})

it('refuses what is made to keep it busy, before it is parsed', async () => {
  expect(await refusal(`{"a": [${'[],'.repeat(30_000)}[]]}`)).toContain('taken')
  expect(() => checkJson(`[${'[],'.repeat(100_000)}[]]`)).toThrow('the body has more than 100000 values')
  expect(() => checkJson(`{"a": "${'\\n'.repeat(4_000_000)}"}`)).not.toThrow()
  const request = (text: string) => new Request('http://a/', { method: 'POST', body: text, headers: { 'content-type': YAML } })
  await expect(readBody(request(`a: ${'x'.repeat(300_000)}`))).rejects.toThrow('The body is larger than 262144 bytes.')
  await expect(readBody(request('['.repeat(100_000)))).rejects.toThrow('it is nested too deep')
})
