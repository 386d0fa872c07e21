import type { FileChange } from '../workspace/port.ts'
import type { Bench } from './bench.ts'
import { likeness } from './lines.ts'
import { outlineTests, wholeFileTest } from './outline/outline.ts'
import type { TestOutline } from './outline/test-outline.ts'
import type { Places } from './places.ts'

/** What became of the tests of one file, found by reading both sides. */
export interface FileTests {
  /** Path now; for a deleted file its old one. */
  path: string
  oldPath: string | null
  pairs: { before: TestOutline; after: TestOutline }[]
  gone: TestOutline[]
  fresh: TestOutline[]
}

// A renamed test keeps most of its lines; below this it is another test.
const SAME_TEST = 0.6

/** The tests of every changed file that holds tests on one side at least. Files in languages that are not read are left out. */
export async function pairTests(bench: Bench, places: Places): Promise<FileTests[]> {
  const changes = bench.request.comparison?.changes ?? []
  const movedAway = new Set(places.moved.values())
  const files = await Promise.all(
    changes.filter((it) => !it.opaque && !(it.status === 'deleted' && movedAway.has(it.path))).map((it) => pairFile(bench, places, it)),
  )
  const found = files.filter((it) => it !== null)
  return joinMovedTests(found)
}

async function pairFile(bench: Bench, places: Places, change: FileChange): Promise<FileTests | null> {
  const { path } = change
  const oldPath = change.status === 'added' ? (places.moved.get(path) ?? null) : path
  // Rust keeps tests beside the code; everywhere else a test is in a test file.
  if (!bench.isTest(path) && !(oldPath !== null && bench.isTest(oldPath)) && !path.endsWith('.rs')) return null
  const after = change.status === 'deleted' ? [] : testsOf(bench, path, await bench.here(path))
  const before = oldPath === null ? [] : testsOf(bench, oldPath, await bench.atBase(oldPath))
  if (before === null || after === null) return null
  if (before.length === 0 && after.length === 0) return null
  return { path, oldPath, ...pairUp(before, after) }
}

function testsOf(bench: Bench, path: string, text: string | null): TestOutline[] | null {
  if (text === null) return []
  const found = outlineTests(path, text)
  return found?.length === 0 && bench.isTest(path) ? wholeFileTest(path, text) : found
}

/** Same name first, then the most alike of what is left: a renamed test is not a deleted one. */
export function pairUp(before: readonly TestOutline[], after: readonly TestOutline[]): Pick<FileTests, 'pairs' | 'gone' | 'fresh'> {
  const left = [...after]
  const pairs: FileTests['pairs'] = []
  const unpaired = before.filter((old) => {
    const at = left.findIndex((it) => it.name === old.name)
    const [same] = at === -1 ? [] : left.splice(at, 1)
    if (same) pairs.push({ before: old, after: same })
    return !same
  })
  const gone = unpaired.filter((old) => {
    const best = left.map((it) => ({ it, score: bodyLikeness(old, it) })).toSorted((a, b) => b.score - a.score)[0]
    if (!best || best.score < SAME_TEST) return true
    left.splice(left.indexOf(best.it), 1)
    pairs.push({ before: old, after: best.it })
    return false
  })
  return { pairs, gone, fresh: left }
}

/** The body without its head, so that short tests with other titles still meet. */
function bodyLikeness(a: TestOutline, b: TestOutline): number {
  if (a.title === b.title) return 1
  return likeness(bodyOf(a), bodyOf(b))
}

function bodyOf(it: TestOutline): string {
  return it.text.split('\n').slice(1).join('\n') || it.text.replace(it.title, '')
}

/** A test that left one file and came to another was moved. */
function joinMovedTests(files: readonly FileTests[]): FileTests[] {
  const arrived = files.flatMap((file) => file.fresh.map((test) => ({ file, test })))
  const joined = files.map((it) => ({ ...it, pairs: [...it.pairs], fresh: [...it.fresh] }))
  const at = new Map(files.map((it, index) => [it, joined[index]]))
  for (const [index, file] of files.entries()) {
    const target = joined[index]
    if (!target) continue
    target.gone = file.gone.filter((old) => {
      const found = arrived.findIndex(({ test }) => test.name === old.name || (test.title === old.title && bodyLikeness(test, old) === 1))
      const [hit] = found === -1 ? [] : arrived.splice(found, 1)
      const home = hit && at.get(hit.file)
      if (!hit || !home) return true
      home.fresh = home.fresh.filter((it) => it !== hit.test)
      home.pairs.push({ before: old, after: hit.test })
      return false
    })
  }
  return joined
}
