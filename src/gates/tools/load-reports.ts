import { glob, lstat, readdir, readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { DetectedCommand } from '../../scanner/port.ts'
import type { ReportFile } from '../reports/reading.ts'

/** Larger is no report of a suite that a person could read. */
const LARGEST = 32 * 1024 * 1024
/** Surefire and Gradle write one file per class. */
const MOST_FILES = 5000
const IGNORED = ['node_modules', '.git']

export interface LoadedReports {
  files: ReportFile[]
  /** A report that is there and may not be read, in one sentence. */
  problem: string | null
}

async function load(path: string, since: number, into: LoadedReports): Promise<void> {
  const stat = await lstat(path).catch(() => null)
  if (!stat?.isFile()) return
  // Written before the command began: what an earlier run (or anybody) left behind proves nothing. Some file systems count whole seconds.
  if (stat.mtimeMs < since - 1000) return
  if (stat.size > LARGEST) {
    into.problem = `The report ${path.split('/').at(-1)} is larger than ${LARGEST / 1024 / 1024} MiB.`
    return
  }
  into.files.push({ path, text: new TextDecoder('utf-8').decode(await readFile(path)) })
}

/** The report files of a command: one path, or a glob under the checkout. Files older than `since` (epoch ms) are left out. */
export async function loadReports(command: DetectedCommand, folder: string, reportFolder: string, since: number): Promise<LoadedReports> {
  const loaded: LoadedReports = { files: [], problem: null }
  const wanted = command.report?.path?.replaceAll('{report}', reportFolder)
  if (wanted === undefined) return loaded
  if (!/[*?[]/.test(wanted)) {
    await load(isAbsolute(wanted) ? wanted : join(folder, wanted), since, loaded)
    return loaded
  }
  const found: string[] = []
  for await (const path of glob(wanted, { cwd: folder, exclude: (it) => IGNORED.includes(it.split('/').at(-1) ?? '') })) {
    found.push(path)
    if (found.length >= MOST_FILES) break
  }
  for (const path of found.toSorted()) await load(isAbsolute(path) ? path : join(folder, path), since, loaded)
  return loaded
}

/** Everything else that was written into the report folder: XML files of googletest and pytest, one level deep. */
export async function loadExtra(reportFolder: string): Promise<ReportFile[]> {
  const loaded: LoadedReports = { files: [], problem: null }
  const entries = await readdir(reportFolder, { recursive: true, withFileTypes: true }).catch(() => [])
  const paths = entries.filter((it) => it.isFile() && it.name.endsWith('.xml')).map((it) => join(it.parentPath, it.name))
  for (const path of paths.toSorted().slice(0, MOST_FILES)) await load(path, 0, loaded)
  return loaded.files
}

/** Where tools leave reports when nobody tells them a place; looked at after a script that we do not know. */
const USUAL = [
  'junit.xml',
  'test-results.xml',
  'test-report.xml',
  'reports/junit.xml',
  'test-results/junit.xml',
  'coverage/lcov.info',
  'lcov.info',
]

/** Reports that an unknown script has written at a usual place since it began. */
export async function loadUsual(folder: string, since: number): Promise<ReportFile[]> {
  const loaded: LoadedReports = { files: [], problem: null }
  // Exact, not a second early: nobody asked for these files, so an old one must not speak for this run.
  for (const name of USUAL) await load(join(folder, name), since + 1000, loaded)
  return loaded.files
}
