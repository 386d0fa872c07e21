import type { FileChange } from '../workspace/port.ts'
import type { Bench } from './bench.ts'
import { configFileOf } from './config/files.ts'

/** Which files of a change belong to its tests, and which to what is tested. */
export interface Sides {
  /** Test files with code that were added or changed: what is to be proved. */
  tests: FileChange[]
  /** Everything that goes into the proof with them: helpers, fixtures, and configuration that was not made weaker. */
  withTests(change: FileChange): boolean
  production: FileChange[]
}

const LOCKFILES =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lockb?|poetry\.lock|uv\.lock|Cargo\.lock|go\.(?:mod|sum)|Gemfile(?:\.lock)?|mix\.lock|requirements[\w.-]*\.txt)$/
const CODE = /\.(?:[cm]?[jt]s|[jt]sx|py|go|rs|java|kt|scala|groovy|cs|c|cc|cpp|cxx|rb|exs?|php|swift|dart|sh|bats|pl|t|lua)$/

function isConfig(path: string): boolean {
  return configFileOf(path) !== undefined || LOCKFILES.test(path)
}

/** Code that is neither a test nor configuration. */
export function isProductionCode(bench: Bench, path: string): boolean {
  return CODE.test(path) && !bench.isTest(path) && !isConfig(path)
}

/** `restored`: configuration that the change made weaker and that stays as the base has it. */
export function sidesOf(bench: Bench, restored: ReadonlySet<string>): Sides {
  const changes = bench.request.comparison?.changes ?? []
  const isTest = (path: string) => bench.isTest(path)
  return {
    tests: changes.filter((it) => it.status !== 'deleted' && !it.opaque && isTest(it.path) && CODE.test(it.path) && !restored.has(it.path)),
    withTests: (it) => (isTest(it.path) || isConfig(it.path)) && !restored.has(it.path),
    production: changes.filter((it) => !isTest(it.path) && !isConfig(it.path)),
  }
}
