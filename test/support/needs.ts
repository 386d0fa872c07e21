import { it, type TestAPI } from 'vitest'
import { isPresent, type Need, needInWords } from './present.ts'

/**
 * `it` where the programs are there. On a user's machine a missing one skips the test and the title says so ("not run: needs go");
 * in CI nothing is skipped: the test runs and fails. What an item can be: see `Need`.
 */
export function itNeeds(...programs: Need[]): TestAPI {
  const missing = programs.filter((program) => !isPresent(program))
  if (missing.length === 0 || process.env['CI']) return it
  const names = [...new Set(missing.map(needInWords))]
  const suffix = `(not run: needs ${names.join(', ')})`
  const skipped = (title: unknown) => it.skip(`${String(title)} ${suffix}`)
  const each = () => (title: unknown) => it.skip(`all of: ${String(title)} ${suffix}`)
  return Object.assign(skipped, { each }) as unknown as TestAPI
}
