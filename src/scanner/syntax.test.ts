import { afterAll, describe, expect, it } from 'vitest'
import { grammarOf } from './languages.ts'
import { syntaxProblemOf } from './symbols/check.ts'
import { grammarLoader } from './symbols/grammars.ts'
import { symbolReader } from './symbols.ts'
import { syntaxErrors } from './syntax.ts'

const reader = symbolReader()
afterAll(() => reader.close())

const SOUND: Record<string, string> = {
  'a.ts': 'export const a = <T,>(x: T): T => x satisfies T\n',
  'a.tsx': 'export const A = () => <a b="c">d</a>\n',
  'a.js': 'class A { #x = 1; static { } }\nawait import("x")\n',
  'a.py': 'match x:\n    case {"a": b}: pass\nprint(f"{x!r:>{10}}")\n',
  'a.c': '#include <a.h>\nint f(int x) { return x; }\n#define END',
  'a.cpp': 'template <class T> concept C = requires(T t) { t.a(); };\nauto f = [](auto x) { return x; };\n',
  'a.go': 'package p\n\nfunc F[T any](x T) T { return x }\n',
  'a.rs': 'fn f<T: Copy>(x: T) -> T { x }\n',
  'A.java': 'record A(int x) { }\n',
  'a.rb': 'def f(...) = g(...)\n',
  'a.ex': 'defmodule A do\n  def f(x), do: x |> g()\nend\n',
}

const BROKEN: Record<string, [text: string, line: number]> = {
  'a.ts': ['const a = 1\nconst b = {\n', 2],
  'a.tsx': ['const A = () => <a>\n', 1],
  'a.js': ['const a = 1\nfoo(]\n', 2],
  'a.py': ['def ok():\n    pass\n\ndef f(:\n    pass\n', 4],
  'a.c': ['int f(void) {\n  return 1\n}\n', 2],
  'a.cpp': ['class A {\n  int x;\n', 1],
  'a.go': ['package p\n\nfunc f() {\n\tx := \n}\n', 4],
  'a.rs': ['fn f() {\n    let x = ;\n}\n', 2],
  'A.java': ['class A {\n  int f() { return 1 }\n}\n', 2],
  'a.rb': ['def f\n  [1, 2\nend\n', 2],
  'a.ex': ['defmodule A do\n  def f(x), do: (x\nend\n', 1],
}

const load = grammarLoader()

/** In this thread. */
async function check(path: string, text: string) {
  const grammar = grammarOf(path, text)
  if (grammar === undefined) throw new Error(`no grammar reads ${path}`)
  return syntaxProblemOf(text, await load(grammar))
}

describe('the syntax check', () => {
  it('runs in a thread', async () => {
    expect(await syntaxErrors('a.py', 'x = = 1\n', reader)).toEqual({ line: 1, message: 'unexpected "="' })
    expect(await syntaxErrors('a.py', 'x = 1\n', reader)).toBeNull()
  })

  for (const [path, text] of Object.entries(SOUND))
    it(`finds nothing in a sound ${path}`, async () => {
      expect(await check(path, text)).toBeNull()
    })

  for (const [path, [text, line]] of Object.entries(BROKEN))
    it(`finds the line of an error in ${path}`, async () => {
      const found = await check(path, text)
      expect(found?.message).toMatch(/^(?:missing|unexpected) ./)
      expect(Math.abs((found?.line ?? -99) - line)).toBeLessThanOrEqual(1)
    })

  it('does not report what the grammars misread in sound code', async () => {
    expect(await check('a.ts', 'const { rows } = await sql<{ name: string }>`select 1`.execute(db)\n')).toBeNull()
    expect(await check('a.ts', "export type * from './b.ts'\nexport enum E { A }\n")).toBeNull()
    expect(await check('a.ts', 'interface A<in T, out U> { abstract?: boolean }\n')).toBeNull()
    expect(await check('a.js', 'const _null = 1\nexport { _null as null }\n')).toBeNull()
    expect(await check('a.c', 'API_EXPORT int API_CALL f(int x);\n')).toBeNull()
    expect(await check('a.c', '#ifdef A\nextern "C" {\n#endif\nint f(void);\n')).toBeNull()
    expect(await check('a.cpp', 'class A {\n public slots:\n  void f();\n};\n')).toBeNull()
  })

  it('says nothing about languages without a grammar', async () => {
    expect(await syntaxErrors('a.json', '{', reader)).toBeNull()
    expect(await syntaxErrors('a.kt', 'fun {', reader)).toBeNull()
  })

  it('says nothing when the parser gave up', async () => {
    const broken = { ...reader, thread: { ...reader.thread, check: () => Promise.reject(new Error('parsing took longer than 2 s')) } }
    expect(await syntaxErrors('a.ts', 'const', broken)).toBeNull()
  })

  it('quotes what it did not expect, shortened', async () => {
    expect((await check('a.py', `x = = ${'y'.repeat(100)}\n`))?.message).toMatch(/^unexpected "=/)
    expect((await check('a.py', 'f(1\n'))?.message).toMatch(/missing "\)"|unexpected "f\(1"|unexpected "\("/)
  })
})
