import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Entry, numberOf, replacementsOf } from './entry.ts'
import { ENTRIES } from './mutations.ts'
import { LAST_CASE, NOT_HERE } from './not-here.ts'

const ROOT = join(import.meta.dirname, '../..')
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const listed = (entries: readonly { case: string; title: string }[]) => entries.map((it) => `${it.case} ${it.title}`)

describe('the table of attack cases', () => {
  it('names source text that is in its file once, so that the proof switches off what it means to', () => {
    const wrong = ENTRIES.flatMap((entry) =>
      replacementsOf(entry)
        .filter((it) => text(it.file).split(it.from).length !== 2)
        .map((it) => `${entry.case} ${it.file}: ${it.from}`),
    )
    expect(wrong).toEqual([])
  })

  it('changes that text', () => {
    expect(listed(ENTRIES.filter((entry) => replacementsOf(entry).some((it) => it.from === it.to)))).toEqual([])
  })

  it('names tests that are in their file', () => {
    // A title made of a template has its parts there.
    const isThere = ({ test }: Entry) => test.name.split(': ').every((part) => text(test.file).includes(part))
    expect(listed(ENTRIES.filter((it) => !isThere(it)))).toEqual([])
  })

  it('has an entry for every case, or says why there is none', () => {
    const proved = new Set(ENTRIES.map(numberOf))
    const numbers = Array.from({ length: LAST_CASE }, (_, at) => at + 1)
    expect(numbers.filter((it) => !proved.has(it) && !NOT_HERE[it])).toEqual([])
    expect(numbers.filter((it) => proved.has(it) && NOT_HERE[it])).toEqual([])
  })

  it('has one entry under each name', () => {
    const names = ENTRIES.map((it) => it.case)
    expect(names.filter((it, at) => names.indexOf(it) !== at)).toEqual([])
  })
})
