import type { Finding } from '../core/verdict.ts'
import { movedName } from './attribution.ts'
import type { StoredMeasurement } from './cache.ts'
import { quoted, RULES, tampered } from './named.ts'
import type { Places } from './places.ts'
import type { Measurement, TestCase } from './port.ts'
import type { FileTests } from './test-pairs.ts'

/**
 * Tests that ran on the base and do not run any more, found by comparing what the runner reported. It sees what reading cannot: a runner's
 * configuration that leaves files out, a hook that skips. Says nothing when the change's run broke off, because then tests are missing for
 * that reason.
 */
export function disappearedTests(change: Measurement, base: StoredMeasurement, files: readonly FileTests[], places: Places): Finding[] {
  if (change.cases === null || base.cases === null || !ranThrough(change)) return []
  const now = byName(change.cases, places)
  const groupsNow = ranPerGroup(change.cases, places)
  const groupsBase = ranPerGroup(base.cases, null)
  const reported = titlesGone(files)
  return base.cases.flatMap((old) => {
    if (old.status === 'skipped') return []
    const found = now.get(old.name)
    const where = { file: old.file }
    if (found?.status === 'skipped' && old.status === 'passed') {
      if (partsOf(old.name).some((it) => reported.skipped.has(it))) return []
      return [tampered(RULES.skipped, where, `The test ${quoted(old.name)} passed on the base and is skipped now.`)]
    }
    if (found || partsOf(old.name).some((it) => reported.gone.has(it))) return []
    const group = groupOf(old)
    // As many as before under other names: renamed, or parametrised by what was changed.
    if ((groupsNow.get(group) ?? 0) >= (groupsBase.get(group) ?? 0)) return []
    return [tampered(RULES.disappeared, where, `The test ${quoted(old.name)} ran on the base and does not run any more.`)]
  })
}

function ranThrough(change: Measurement): boolean {
  if (change.status === 'not_run' || change.environmental) return false
  const failed = change.cases?.filter((it) => it.status === 'failed') ?? []
  return failed.length === 0 ? change.status !== 'failed' || change.cases?.length === 0 : failed.every((it) => it.failure === 'assertion')
}

function byName(cases: readonly TestCase[], places: Places): Map<string, TestCase> {
  const named = new Map<string, TestCase>()
  // Of several with one name the one that ran stands for it.
  for (const it of cases) {
    const name = movedName(it.name, places)
    if (named.get(name)?.status !== 'passed') named.set(name, it)
  }
  return named
}

function ranPerGroup(cases: readonly TestCase[], places: Places | null): Map<string, number> {
  const counts = new Map<string, number>()
  for (const it of cases) {
    if (it.status === 'skipped') continue
    const group = groupOf(it, places)
    counts.set(group, (counts.get(group) ?? 0) + 1)
  }
  return counts
}

function groupOf(it: TestCase, places: Places | null = null): string {
  const group = it.file ?? it.name.split(' > ')[0] ?? ''
  return places?.moved.get(group) ?? group
}

/** What reading has found and named already. */
function titlesGone(files: readonly FileTests[]): { gone: ReadonlySet<string>; skipped: ReadonlySet<string> } {
  const renamed = files.flatMap((it) => it.pairs).filter(({ before, after }) => before.title !== after.title)
  return {
    gone: new Set([...files.flatMap((it) => it.gone.map((test) => test.title)), ...renamed.map(({ before }) => before.title)]),
    skipped: new Set(
      files.flatMap((it) => it.pairs.filter(({ before, after }) => !before.skipped && after.skipped).map(({ after }) => after.title)),
    ),
  }
}

/** The titles of a name; pytest writes the parameters of a case behind its last one. */
function partsOf(name: string): string[] {
  return name.split(' > ').map((it) => it.replace(/\[.*\]$/, ''))
}
