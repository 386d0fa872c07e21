/** What an entry needs of the machine besides Node and git. */
export type Need = 'linux' | 'bubblewrap'

/** A piece of source text, which occurs once in its file, and the same with the defence switched off. */
export interface Replacement {
  file: string
  from: string
  to: string
}

/**
 * One attack case with its proof. The test shows that the defence holds; with the replacement applied it must go red by an assertion of its
 * own. Where two defences cover each other, `also` switches off the other one.
 */
export interface Entry extends Replacement {
  /** Number in the list of attack cases, with a letter where a case has several parts. */
  case: string
  title: string
  /** The level from which it must hold; `always` with none, too; `proxy` wherever the proxy runs. */
  level: 'always' | 'L1' | 'L2' | 'proxy'
  /** The test's file, and its title or a piece of it that no other test of the file has. */
  test: { file: string; name: string }
  also?: readonly Replacement[]
  /** Words of the assertion that must fail, where the test has others that could. */
  says?: string
  where?: Need
}

/** The number of a case without its letter. */
export function numberOf(entry: Entry): number {
  return Number.parseInt(entry.case, 10)
}

export function replacementsOf(entry: Entry): Replacement[] {
  return [{ file: entry.file, from: entry.from, to: entry.to }, ...(entry.also ?? [])]
}
