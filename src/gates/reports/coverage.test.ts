import { describe, expect, it } from 'vitest'
import { readCobertura, readGoCover, readJacoco, readLcov } from './coverage.ts'

const place = (path: string) => (path.startsWith('/root/') ? path.slice(6) : path.startsWith('/') ? null : path)

describe('lcov', () => {
  it('gives hits by line, and adds up records of the same file', () => {
    const { coverage, problem } = readLcov(
      'TN:\nSF:src/a.js\nFN:1,add\nDA:1,2\nDA:3,0,abc\nLF:2\nend_of_record\nSF:/root/src/a.js\nDA:3,1\nend_of_record\n',
      place,
    )
    expect(problem).toBeNull()
    expect(coverage.files).toEqual([{ path: 'src/a.js', lines: { 1: 2, 3: 1 } }])
  })

  it('leaves out files from elsewhere and numbers that are none', () => {
    const { coverage } = readLcov(
      'SF:/other/a.js\nDA:1,1\nend_of_record\nSF:b.js\nDA:x,1\nDA:0,1\nDA:-1,1\nDA:2,NaN\nDA:99999999999,1\nDA:4,-3\nend_of_record',
      place,
    )
    expect(coverage.files).toEqual([{ path: 'b.js', lines: { 4: 0 } }])
  })

  it('says when it is cut or something else', () => {
    expect(readLcov('SF:a.js\nDA:1,1\n', place).problem).toBe('it ends in the middle of a record')
    expect(readLcov('<html>', place).problem).toBe('it holds no record')
    expect(readLcov('', place)).toEqual({ coverage: { files: [] }, problem: null })
  })
})

const xml = (inner: string) =>
  `<?xml version="1.0"?><!DOCTYPE coverage SYSTEM "coverage-04.dtd"><coverage><sources><source>/root/src</source></sources><packages><package><classes>${inner}</classes></package></packages></coverage>`

describe('Cobertura', () => {
  it('counts the lines of a class once, below its source folder', () => {
    const { coverage, problem } = readCobertura(
      xml(
        '<class filename="a.py"><methods><method><lines><line number="1" hits="5"/></lines></method></methods><lines><line number="1" hits="5"/><line number="2" hits="0"/></lines></class>',
      ),
      place,
    )
    expect(problem).toBeNull()
    expect(coverage.files).toEqual([{ path: 'src/a.py', lines: { 1: 5, 2: 0 } }])
  })

  it('says when it is cut or something else', () => {
    expect(readCobertura(xml('<class filename="a.py"><lines>').slice(0, -60), place).problem).toMatch(/unclosed|unexpected/i)
    expect(readCobertura('<report/>', place).problem).toBe('its root is <report>, not <coverage>')
  })
})

describe('JaCoCo', () => {
  it('finds the source of a package', () => {
    const { coverage } = readJacoco(
      '<report name="x"><package name="demo/deep"><sourcefile name="Calc.java"><line nr="3" mi="0" ci="4"/><line nr="5" mi="2" ci="0"/></sourcefile></package></report>',
      (path) => `src/main/java/${path}`,
    )
    expect(coverage.files).toEqual([{ path: 'src/main/java/demo/deep/Calc.java', lines: { 3: 4, 5: 0 } }])
  })
})

describe("Go's cover profile", () => {
  it('reaches a line when one of its blocks is', () => {
    const { coverage, problem } = readGoCover(
      'mode: set\nexample.com/x/a/b.go:3.2,5.4 2 1\nexample.com/x/a/b.go:5.4,6.3 1 0\ngarbage\n',
      'example.com/x',
      place,
    )
    expect(problem).toBeNull()
    expect(coverage.files).toEqual([{ path: 'a/b.go', lines: { 3: 1, 4: 1, 5: 1, 6: 0 } }])
  })

  it('is broken without its mode', () => {
    expect(readGoCover('example.com/x/a.go:1.1,2.2 1 1', 'example.com/x', place).problem).toBe('it does not begin with "mode:"')
  })
})
