/**
 * The whole suite: static checks, then every test. The last line says how many passed and failed (a static check counts as one).
 * Run: npm test            all of it
 *      npm test -- src/x   only these tests, without the static checks
 *      REEVE_COVERAGE=1 npm test   with the coverage of src/, which takes a sixth longer
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChecks } from './check.ts'

interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { status: string; assertionResults: unknown[] }[]
}

const filters = process.argv.slice(2)
const checks = filters.length === 0 ? runChecks() : { passed: [], failed: [] }

const folder = mkdtempSync(join(tmpdir(), 'reeve-suite-'))
const outputFile = join(folder, 'report.json')
const coverage = process.env['REEVE_COVERAGE'] ? ['--coverage'] : []
const { status } = spawnSync(
  'vitest',
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${outputFile}`, ...coverage, ...filters],
  { stdio: 'inherit' },
)

let passed = checks.passed.length
let failed = checks.failed.length
let skipped = 0
try {
  const report = JSON.parse(readFileSync(outputFile, 'utf8')) as Report
  // A file that broke before its first test has no test to count, and is a failure all the same.
  const broken = report.testResults.filter((it) => it.status === 'failed' && it.assertionResults.length === 0).length
  passed += report.numPassedTests
  failed += report.numFailedTests + broken
  skipped = report.numPendingTests + report.numTodoTests
} catch (error) {
  console.error(`The test runner left no report: ${String(error)}`)
  failed += 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (status !== 0 && failed === 0) failed = 1
for (const name of checks.failed) console.log(`Failed check: ${name}`)
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1
