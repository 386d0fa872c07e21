import { lineChanges } from '../lines.ts'
import { doesNothing, weakerCommand } from './command-line.ts'
import type { Compared } from './values.ts'

// A longer one is a list of files, not a rule that a gate calls.
const MAX_LINE = 4000
const GATE_TARGET = /^(?:all|test|tests|check|lint|types?|typecheck|build|coverage|cov|ci|verify|unit)(?:[-_.].*)?$/

/** Makefile: what the targets do that gates call, and the variables those read. */
export function compareMakefile(before: string | null, after: string | null): Compared {
  const [old, now] = [targetsOf(before ?? ''), targetsOf(after ?? '')]
  const weaker: string[] = []
  for (const [name, recipe] of old) {
    if (!GATE_TARGET.test(name)) continue
    const next = now.get(name)
    if (next === undefined) weaker.push(`the target "${name}" was removed`)
    else weaker.push(...weakerRecipe(name, recipe, next))
  }
  const { added } = lineChanges(before, after)
  if (before !== null && added.some((it) => /^\s*(?:\.IGNORE\b|MAKEFLAGS\s*[+:]?=.*-[a-z]*[ik])/.test(it)))
    weaker.push('errors of commands are ignored')
  return { weaker, differs: bare(before) !== bare(after) }
}

function weakerRecipe(name: string, before: readonly string[], after: readonly string[]): string[] {
  if (before.join('\n') === after.join('\n')) return []
  if (after.every(doesNothing) && !before.every(doesNothing)) return [`the target "${name}" does nothing now`]
  const { added, removed } = lineChanges(before.join('\n'), after.join('\n'))
  if (added.some((it) => /^[@+]*-/.test(it)) && !removed.some((it) => /^[@+]*-/.test(it))) return [`the target "${name}" ignores errors`]
  if (added.length === 0) return [`the target "${name}" no longer runs "${removed.map(plain).join('; ')}"`]
  const why = weakerCommand(removed.map(plain).join('\n'), added.map(plain).join('\n'))
  return why === null ? [] : [`the target "${name}" ${why}`]
}

function plain(line: string): string {
  return line.replace(/^[@+-]+\s*/, '')
}

/** Target -> its recipe with its prerequisites as first line. */
function targetsOf(text: string): Map<string, string[]> {
  const targets = new Map<string, string[]>()
  let current: string[][] = []
  for (const line of text.replaceAll(/\\\n/g, ' ').split('\n')) {
    if (line.length > MAX_LINE) continue
    const head = /^([\w .%/$(){}-]+?)\s*::?(?!=)\s*([^#=]*?)(?:;(.*))?(?:#.*)?$/.exec(line)
    if (head && !line.startsWith('\t')) {
      current = (head[1] ?? '').split(/\s+/).map((name) => {
        const recipe = targets.get(name) ?? []
        targets.set(name, recipe)
        if (head[3]) recipe.push(head[3].trim())
        return recipe
      })
      continue
    }
    if (line.startsWith('\t') && line.trim() !== '' && !line.trim().startsWith('#')) for (const recipe of current) recipe.push(line.trim())
    if (!line.startsWith('\t') && line.trim() !== '' && !line.startsWith('#')) current = []
  }
  return targets
}

const CMAKE_TESTS =
  /\b(?:add_test|gtest_discover_tests|gtest_add_tests|catch_discover_tests|doctest_discover_tests|enable_testing|include\s*\(\s*CTest|add_subdirectory\s*\([^)]*test|test\s*\()/i
const CMAKE_OFF: readonly [RegExp, string][] = [
  [/\bWILL_FAIL\b/, 'turns failures of tests into successes'],
  [/\bDISABLED\s+(?:TRUE|ON|1|YES)\b/i, 'switches tests off'],
  [/\bSKIP_(?:RETURN_CODE|REGULAR_EXPRESSION)\b/, 'calls failing tests skipped'],
  [/\bPASS_REGULAR_EXPRESSION\b/, 'calls tests passed by their output'],
  [/\bTEST_FILTER\b|--gtest_filter/, 'selects tests'],
  [/-Wno-|(?:^|\s)-w(?:\s|$)/, 'silences warnings'],
  [/\bset\s*\(\s*BUILD_TESTING\s+(?:OFF|FALSE|0)/i, 'switches tests off'],
]

export function compareCmake(before: string | null, after: string | null): Compared {
  const { added, removed } = lineChanges(cmakeText(before), cmakeText(after))
  const came = (pattern: RegExp) => added.filter((it) => pattern.test(it)).length > removed.filter((it) => pattern.test(it)).length
  const went = (pattern: RegExp) => removed.filter((it) => pattern.test(it)).length > added.filter((it) => pattern.test(it)).length
  const weaker = before === null ? [] : CMAKE_OFF.flatMap(([pattern, what]) => (came(pattern) ? [what] : []))
  if (went(CMAKE_TESTS)) weaker.push('no longer registers some tests')
  const lost = testSources(before).filter((it) => !testSources(after).includes(it))
  if (lost.length > 0) weaker.push(`no longer builds ${lost.join(', ')}`)
  if (went(/-Werror|-Wall|-Wextra|CMAKE_COMPILE_WARNING_AS_ERROR/)) weaker.push('asks the compiler for fewer warnings')
  return { weaker, differs: bare(cmakeText(before)) !== bare(cmakeText(after)) }
}

function cmakeText(text: string | null): string | null {
  return text === null ? null : text.replaceAll(/#.*$/gm, '')
}

function testSources(text: string | null): string[] {
  return [...(cmakeText(text) ?? '').matchAll(/[\w./-]*test[\w./-]*\.(?:c|cc|cpp|cxx)\b/gi)].map((it) => it[0])
}

const BUILD_OFF: readonly [RegExp, string][] = [
  [/skipTests|maven\.test\.skip|<skip>\s*true/, 'skips tests'],
  [/testFailureIgnore|ignoreFailures\s*(?:=|\()\s*true|failIfNoTests>\s*false|failOnNoDiscoveredTests\s*=\s*false/, 'hides failures'],
  [/<exclude>|\bexclude\b|excludeTestsMatching|<excludedGroups>|excludeTags/, 'leaves tests out'],
  [/enabled\s*=\s*false|onlyIf\s*\{\s*false/, 'switches a task off'],
  [/exclude:\s*\[|ExUnit\.configure|--exclude|--tag\s+~/, 'leaves tests out'],
  [/System\.(?:halt|exit)|exit!?\s*\(?0|at_exit/, 'ends the run by itself'],
]

function concernsTests(it: string): boolean {
  return (
    /\b(?:test|tests|check|lint|surefire|failsafe|jacoco|junit)\b|useJUnitPlatform/i.test(it) &&
    !/dependenc|implementation|artifactId|groupId|scope|version/i.test(it)
  )
}

/** Build files of which only some lines concern tests; what else they hold is the project's own. */
export function compareBuildFile(before: string | null, after: string | null): Compared {
  const { added, removed } = lineChanges(before, after)
  const weaker =
    before === null
      ? []
      : BUILD_OFF.flatMap(([pattern, what]) =>
          added.some((it) => pattern.test(it)) && !removed.some((it) => pattern.test(it)) ? [what] : [],
        )
  if (removed.some((it) => /useJUnitPlatform|surefire|jacoco\w*Verification|Rake::TestTask|RSpec::Core/.test(it)) && weaker.length === 0) {
    if (!added.some((it) => /useJUnitPlatform|surefire|jacoco\w*Verification|Rake::TestTask|RSpec::Core/.test(it)))
      weaker.push('no longer sets up the tests')
  }
  return { weaker, differs: weaker.length > 0 || [...added, ...removed].some(concernsTests) }
}

function bare(text: string | null): string {
  return (text ?? '')
    .replaceAll(/#.*$/gm, '')
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/\n\s*\n/g, '\n')
    .trim()
}
