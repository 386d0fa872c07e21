import { describe, expect, it } from 'vitest'
import { readLines } from './lines.ts'
import { readSarif } from './sarif.ts'

const place = (path: string) => (path.startsWith('/root/') ? path.slice(6) : path.startsWith('/') ? null : path)
const outline = (text: string) =>
  readLines(text, 'tool', place).map((it) => `${it.file}:${it.line} ${it.severity} ${it.rule}: ${it.message}`)

describe('remarks of one line', () => {
  it.each([
    ['src/a.ts(3,5): error TS2322: Type "a" is wrong.', 'src/a.ts:3 error TS2322: Type "a" is wrong.'],
    ['error TS18003: No inputs.', 'null:null error TS18003: No inputs.'],
    ['/root/src/a.c:12:3: error: unknown type', 'src/a.c:12 error tool: unknown type'],
    ['a.c:12: fatal error: x.h: No such file', 'a.c:12 error tool: x.h: No such file'],
    ["a.c:1:2: warning: unused variable 'x' [-Wunused-variable]", "a.c:1 warning -Wunused-variable: unused variable 'x'"],
    ['pkg/a.py:3: error: Name "x" is not defined  [name-defined]', 'pkg/a.py:3 error name-defined: Name "x" is not defined'],
    ["a.py:1:1: F401 'os' imported but unused", "a.py:1 error F401: 'os' imported but unused"],
    ['./sub/b.go:5:28: undefined: nope', 'sub/b.go:5 error tool: undefined: nope'],
    ['vet: sub/b.go:5:28: undeclared name: nope', 'sub/b.go:5 error tool: undeclared name: nope'],
    ['[ERROR] /root/src/A.java:[2,33] cannot find symbol', 'src/A.java:2 error tool: cannot find symbol'],
    ['CMake Error at CMakeLists.txt:5 (find_package):', 'CMakeLists.txt:5 error cmake: CMake Error'],
    ['/usr/bin/ld: cannot find -lfoo', 'null:null error linker: cannot find -lfoo'],
    ["main.c:(.text+0x5): undefined reference to `absent'", "main.c:null error linker: undefined reference to `absent'"],
    ['/usr/include/x.h:3:1: error: elsewhere', 'null:3 error tool: elsewhere'],
  ])('%s', (line, expected) => {
    expect(outline(line)).toEqual([expected])
  })

  it('are not guessed from other text', () => {
    expect(
      outline(
        'error: everything is fine\nat 12:30:15: error is a word\nhttps://x.invalid:8080:3: hello\na.c:1:2: note: declared here\n\nok\n',
      ),
    ).toEqual([])
  })

  it('are told once, and at most a thousand', () => {
    expect(outline('a.c:1:1: error: x\na.c:1:1: error: x\n')).toHaveLength(1)
    expect(outline(Array.from({ length: 3000 }, (_, at) => `a.c:${at + 1}:1: error: x`).join('\n'))).toHaveLength(1000)
  })

  it('are not looked for in lines without end', () => {
    expect(outline(`${'a:1:'.repeat(1_000_000)} error: x`)).toEqual([])
  })
})

const result = (more: object) => ({
  ruleId: 'R1',
  level: 'error',
  message: { text: 'bad' },
  locations: [{ physicalLocation: { artifactLocation: { uri: 'file:///root/src/a%20b.js' }, region: { startLine: 4 } } }],
  ...more,
})

describe('SARIF', () => {
  it('gives results that are not suppressed, with file, line and level', () => {
    const findings = readSarif(
      {
        version: '2.1.0',
        runs: [
          {
            results: [
              result({}),
              result({ suppressions: [{ kind: 'inSource' }] }),
              { message: { text: 'plain' } },
              result({ level: 'note', ruleId: 'R2' }),
            ],
          },
        ],
      },
      place,
    )
    expect(findings.map((it) => `${it.file}:${it.line} ${it.severity} ${it.rule}: ${it.message}`)).toEqual([
      'src/a b.js:4 error R1: bad',
      'null:null warning sarif: plain',
      'src/a b.js:4 info R2: bad',
    ])
  })

  it.each([null, 1, 'x', [], {}, { runs: {} }, { runs: [null, { results: [null, 3, { locations: 'x', message: [] }] }] }])(
    'survives %j',
    (value) => {
      expect(() => readSarif(value, place)).not.toThrow()
    },
  )
})
