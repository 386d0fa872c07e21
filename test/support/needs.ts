import { spawnSync } from 'node:child_process'
import { it, type TestAPI } from 'vitest'

function present(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

/**
 * `it` where the programs are there. On a user's machine a missing one skips the test and the title says so ("not run: needs go");
 * in CI nothing is skipped: the test runs and fails. Each item is a program, or a program with arguments that must exit 0.
 */
export function itNeeds(...programs: (string | readonly [string, ...string[]])[]): TestAPI {
  const missing = programs
    .map((it) => (typeof it === 'string' ? ([it, '--version'] as const) : it))
    .filter(([program, ...args]) => !present(program, args))
  if (missing.length === 0 || process.env['CI']) return it
  const suffix = `(not run: needs ${missing.map((m) => m[0]).join(', ')})`
  const skipped = (title: unknown) => it.skip(`${String(title)} ${suffix}`)
  const each = () => (title: unknown) => it.skip(`all of: ${String(title)} ${suffix}`)
  return Object.assign(skipped, { each }) as unknown as TestAPI
}
