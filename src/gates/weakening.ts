import { diffArrays } from 'diff'
import type { TaskKind } from '../core/task.ts'
import { needsRedProof } from '../core/task.ts'
import type { Finding } from '../core/verdict.ts'
import type { Bench } from './bench.ts'
import { quoted, RULES, tampered } from './named.ts'
import { isVacuous, isWeak, literalsIn } from './outline/assertions.ts'
import type { TestOutline } from './outline/test-outline.ts'
import type { FileTests } from './test-pairs.ts'

/** What a change did to the tests that were there: deleted, switched off, made weaker. Found by reading, so before anything has run. */
export function weakenedTests(files: readonly FileTests[], kind: TaskKind): Finding[] {
  return files.flatMap((file) => [
    ...goneTests(file),
    ...file.pairs.flatMap(({ before, after }) => weakenedTest(file.path, before, after, kind)),
    ...file.fresh.flatMap((it) => emptyTest(file.path, it)),
    ...onlyTests(file),
  ])
}

function goneTests(file: FileTests): Finding[] {
  return file.gone.map((it) =>
    tampered(RULES.deleted, { file: file.oldPath }, `The test ${quoted(it.name)} was deleted (line ${it.line} on the base).`),
  )
}

function weakenedTest(file: string, before: TestOutline, after: TestOutline, kind: TaskKind): Finding[] {
  const where = { file, line: after.line }
  const name = quoted(after.name)
  if (before.text === after.text && before.skipped === after.skipped) return []
  if (!before.skipped && after.skipped) return [tampered(RULES.skipped, where, `The test ${name} ran on the base and is skipped now.`)]
  const { lost, weaker, values } = assertionChanges(before, after)
  const [first] = lost
  if (first !== undefined) {
    const more = lost.length > 1 ? ` and ${lost.length - 1} more` : ''
    return [tampered(RULES.weakened, where, `Assertions were removed from the test ${name}: ${oneLine(first)}${more}.`)]
  }
  if (weaker !== null) {
    const message = `The test ${name} expects less than on the base: ${oneLine(weaker)} became one that only says that something is there.`
    return [tampered(RULES.weakened, where, message)]
  }
  if (values.length === 0) return []
  // A new feature or a mended bug may change what is right; a change of form may not.
  const severity = needsRedProof(kind) || kind === 'test' ? 'warning' : 'error'
  const message = `The test ${name} no longer expects ${values.slice(0, 3).join(', ')}. Check that this is wanted.`
  return [tampered(RULES.weakened, where, message, severity)]
}

interface AssertionChanges {
  /** Assertions that are gone, as they were. */
  lost: string[]
  /** One that was exact and is vague now. */
  weaker: string | null
  /** Constants that are no longer expected. */
  values: string[]
}

/**
 * What became of a test's assertions. One that was edited in its place is a changed one; one that went without another in its place is lost,
 * however many came elsewhere. Those that cannot fail do not count.
 */
function assertionChanges(before: TestOutline, after: TestOutline): AssertionChanges {
  const [old, now] = [realAssertions(before), realAssertions(after)]
  const parts = diffArrays(old, now, { timeout: 1000 }) ?? []
  const elsewhere = parts.filter((it) => it.added).flatMap((it) => it.value)
  const lost: string[] = []
  let weaker: string | null = null
  for (const [at, part] of parts.entries()) {
    if (!part.removed) continue
    const beside = [parts[at - 1], parts[at + 1]].flatMap((it) => (it?.added ? it.value : []))
    for (const [index, assertion] of part.value.entries()) {
      const instead = beside[index]
      const moved = elsewhere.indexOf(assertion)
      if (moved !== -1) elsewhere.splice(moved, 1)
      else if (instead === undefined) lost.push(assertion)
      else if (isWeak(instead) && !isWeak(assertion)) weaker ??= assertion
    }
  }
  return { lost, weaker, values: missingFrom(old.flatMap(literalsIn), now.flatMap(literalsIn)) }
}

function realAssertions(test: TestOutline): string[] {
  return test.assertions.filter((it) => !isVacuous(it)).map((it) => it.replaceAll(/\s+/g, ' '))
}

function oneLine(assertion: string): string {
  return assertion.length > 120 ? `${assertion.slice(0, 120)}…` : assertion
}

function missingFrom(before: readonly string[], after: readonly string[]): string[] {
  const left = [...after]
  return before.filter((it) => {
    const at = left.indexOf(it)
    if (at === -1) return true
    left.splice(at, 1)
    return false
  })
}

function emptyTest(file: string, test: TestOutline): Finding[] {
  const where = { file, line: test.line }
  if (test.skipped)
    return [tampered(RULES.skipped, where, `The new test ${quoted(test.name)} is skipped, so it proves nothing.`, 'warning')]
  const why = whyVacuous(test)
  return why === '' ? [] : [tampered(RULES.vacuous, where, `The new test ${quoted(test.name)} cannot fail: ${why}.`, 'warning')]
}

/** Why a test cannot fail whatever the code does, or ''. Only what can be seen for sure. */
export function whyVacuous(test: TestOutline): string {
  if (test.assertions.length > 0 && test.assertions.every(isVacuous)) return 'it asserts only constants'
  if (test.assertions.length > 0) return ''
  const body = test.text.replace(/^[^{:\n]*(?:=>\s*\{|\)\s*\{|:\s*$)/m, '')
  const statements = body.replaceAll(/\/\/.*|#.*|\/\*[\s\S]*?\*\//g, '').replaceAll(/[\s{}();]|\bpass\b|\.\.\.|\bend\b/g, '')
  return statements === '' ? 'it is empty' : ''
}

function onlyTests(file: FileTests): Finding[] {
  if (file.pairs.some(({ before }) => before.only)) return []
  const alone = [...file.pairs.map((it) => it.after), ...file.fresh].find((it) => it.only)
  if (!alone) return []
  return [
    tampered(
      RULES.skipped,
      { file: file.path, line: alone.line },
      `The test ${quoted(alone.name)} is marked to run alone ("only"), which hides the others.`,
    ),
  ]
}

const SNAPSHOT =
  /(?:^|\/)__snapshots__\/|\.(?:snap|ambr)$|\.(?:approved|golden)(?:\.[^/]+)?$|(?:^|\/)(?:golden|goldens|testdata)\/.*\.(?:golden|out|expected)$/

/** Recorded expectations that were recorded anew. */
export function rewrittenSnapshots(bench: Bench): Finding[] {
  const { comparison, task } = bench.request
  const rewritten = comparison?.changes.filter((it) => it.status !== 'added' && SNAPSHOT.test(it.path)) ?? []
  const severity = needsRedProof(task.kind) || task.kind === 'test' ? 'warning' : 'error'
  return rewritten.map((it) =>
    tampered(
      RULES.weakened,
      { file: it.path },
      `The snapshot file ${quoted(it.path)} was ${it.status === 'deleted' ? 'deleted' : 'rewritten'}. Check that what it records now is wanted.`,
      severity,
    ),
  )
}

/** Test files in languages whose tests are not read: a deleted one is still a deleted one. */
export function deletedTestFiles(bench: Bench, files: readonly FileTests[], moved: ReadonlyMap<string, string>): Finding[] {
  const read = new Set(files.map((it) => it.path))
  const away = new Set(moved.values())
  const gone =
    bench.request.comparison?.changes.filter((it) => it.status === 'deleted' && bench.isTest(it.path) && !read.has(it.path)) ?? []
  return gone
    .filter((it) => !away.has(it.path) && !SNAPSHOT.test(it.path))
    .map((it) =>
      tampered(RULES.deleted, { file: it.path }, `The test file ${quoted(it.path)} was deleted.`, isCode(it.path) ? 'error' : 'warning'),
    )
}

function isCode(path: string): boolean {
  return /\.(?:sh|bats|php|phpt|pl|t|swift|dart|lua|r|jl|clj|hs|ml|fs|vb)$/i.test(path)
}
