/** Fails when a runtime package of the lockfile has an install script, a licence we do not ship, or a download address. Run: node scripts/lockfile.ts */
import { readFileSync } from 'node:fs'

interface Entry {
  dev?: boolean
  optional?: boolean
  hasInstallScript?: boolean
  resolved?: string
  license?: string
}

const LICENCES = new Set([
  'MIT',
  'Apache-2.0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
  'MIT OR Apache-2.0',
  '(MIT OR CC0-1.0)',
  '(AFL-2.1 OR BSD-3-Clause)',
])

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Entry> }
const problems = Object.entries(packages).flatMap(([path, entry]) => {
  if (path === '') return []
  const name = path.replace(/^.*node_modules\//, '')
  const found: string[] = []
  if (entry.resolved?.startsWith('http')) found.push(`${name}: the lockfile names a download address`)
  if (entry.dev) return found
  if (entry.hasInstallScript) found.push(`${name}: has an install script`)
  if (!LICENCES.has(entry.license ?? '')) found.push(`${name}: licence ${entry.license ?? 'unknown'} is not on the list`)
  return found
})
for (const problem of problems) console.error(problem)
console.log(`lockfile: ${Object.keys(packages).length - 1} packages, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
