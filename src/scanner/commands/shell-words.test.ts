import { describe, expect, it } from 'vitest'
import { positionals, simpleCommands, withoutOptions } from './shell-words.ts'

const words = (line: string) => simpleCommands(line)?.map((it) => it.words.map((word) => word.text))
const of = (line: string) => simpleCommands(line)?.[0]?.words.slice(1) ?? []

describe('a command line', () => {
  it('is split at blanks, quotes are taken away', () => {
    expect(words(`vitest run  --name 'two words' "and more" pre"fix"ed`)).toEqual([
      ['vitest', 'run', '--name', 'two words', 'and more', 'prefixed'],
    ])
  })

  it('is several commands when joined by &&', () => {
    expect(words('tsc -b && vitest run')).toEqual([
      ['tsc', '-b'],
      ['vitest', 'run'],
    ])
  })

  it('knows which words a shell would expand', () => {
    expect(simpleCommands(`node --test test/*.mjs 'quoted/*.mjs'`)?.[0]?.words).toEqual([
      { text: 'node', glob: false },
      { text: '--test', glob: false },
      { text: 'test/*.mjs', glob: true },
      { text: 'quoted/*.mjs', glob: false },
    ])
  })

  it('keeps assignments apart, also those of cross-env', () => {
    expect(simpleCommands('NODE_ENV=test cross-env')?.[0]).toMatchObject({ env: { NODE_ENV: 'test' } })
    expect(simpleCommands('cross-env CI=1 A="b c" jest')?.[0]).toEqual({
      env: { CI: '1', A: 'b c' },
      words: [{ text: 'jest', glob: false }],
    })
  })

  it('keeps an empty quoted word', () => {
    expect(words(`jest -t ''`)).toEqual([['jest', '-t', '']])
  })

  it.each([
    'vitest | cat',
    'vitest || true',
    'vitest; echo',
    'vitest > log',
    'echo $HOME',
    'echo "$HOME"',
    'echo `date`',
    '(vitest)',
    'vitest &',
    'a &&& b',
    'vitest\nrm x',
    String.raw`echo a\ b`,
    `echo 'open`,
    'A=1',
    '',
    '  ',
    'a && ',
    '~/bin/x',
    'echo {a,b}',
    '# nothing',
  ])('is refused when it needs a shell: %s', (line) => {
    expect(simpleCommands(line)).toBeNull()
  })
})

describe('arguments', () => {
  it('are positional when they are neither options nor their values', () => {
    expect(positionals(of('x --config a.js -q tests/one --name=y two'), ['--config']).map((it) => it.text)).toEqual(['tests/one', 'two'])
  })

  it('lose options with their values', () => {
    const left = withoutOptions(of('x --reporter dot --reporter=json --outputFile.junit=a --watch keep'), {
      flags: ['--watch'],
      valued: ['--reporter', '--outputFile'],
    })
    expect(left.map((it) => it.text)).toEqual(['keep'])
  })
})
