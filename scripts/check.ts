/** The static checks, one after another, each with its time. Run: npm run check [-- --no-tests]; `npm test` runs them before the tests. */
import { spawnSync } from 'node:child_process'

const CHECKS: readonly (readonly [name: string, ...argv: string[]])[] = [
  ['format', 'biome', 'ci', '--reporter=summary', '.'],
  ['lint', 'oxlint', '--type-aware', '--quiet'],
  ['types', 'tsc', '-p', '.'],
  ['layers', 'node', 'scripts/layers.ts'],
  ['unused code', 'knip', '--no-progress'],
  ['lockfile', 'node', 'scripts/lockfile.ts'],
]

/** Names of the checks that failed. Their output goes to the terminal. */
export function runChecks(): { passed: string[]; failed: string[] } {
  const passed: string[] = []
  const failed: string[] = []
  for (const [name, program = '', ...args] of CHECKS) {
    const began = performance.now()
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    const ok = status === 0
    ;(ok ? passed : failed).push(name)
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
    if (!ok) console.log(`${stdout}${stderr}`.trimEnd())
  }
  return { passed, failed }
}

if (import.meta.main) process.exitCode = runChecks().failed.length === 0 ? 0 : 1
