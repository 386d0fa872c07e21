import { glob, lstat, readdir } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { problemOf } from '../../core/errors.ts'
import type { DetectedCommand } from '../../scanner/port.ts'
import { readFileIn } from '../../workspace/paths.ts'
import type { ReportFile } from '../reports/reading.ts'

/** Larger is no report of a suite that a person could read. */
const LARGEST = 32 * 1024 * 1024
/** Of all reports of a command together: a file with holes costs a program nothing, and us its whole size in memory. */
const MOST_BYTES = 128 * 1024 * 1024
/** Surefire and Gradle write one file per class. */
const MOST_FILES = 5000
const IGNORED = ['node_modules', '.git']

export interface LoadedReports {
  files: ReportFile[]
  /** A report that is there and may not be read, in one sentence. */
  problem: string | null
}

/** While they are being loaded. */
interface Loading extends LoadedReports {
  /** Bytes that may still be read. */
  room: number
}

const nothingYet = (): Loading => ({ files: [], problem: null, room: MOST_BYTES })

/**
 * A report of a program that may have been written to deceive: no link is followed on the way to it, so that nothing outside of the folder is
 * taken for one.
 */
async function load(root: string, path: string, since: number, into: Loading): Promise<void> {
  const full = isAbsolute(path) ? path : join(root, path)
  // A command that works in a folder of the project may report beside it.
  const from = full.startsWith(`${root}/`) ? root : dirname(full)
  const within = relative(from, full)
  const stat = await lstat(full).catch(() => null)
  if (!stat?.isFile()) return
  // Written before the command began: what an earlier run (or anybody) left behind proves nothing. Some file systems count whole seconds.
  if (stat.mtimeMs < since - 1000) return
  if (stat.size > LARGEST) {
    into.problem = `The report ${path.split('/').at(-1)} is larger than ${LARGEST / 1024 / 1024} MiB.`
    return
  }
  if (stat.size > into.room) {
    into.problem = `The reports together are larger than ${MOST_BYTES / 1024 / 1024} MiB.`
    return
  }
  into.room -= stat.size
  const bytes = await readFileIn(from, within, LARGEST).catch((error: unknown) => {
    into.problem = `The report ${path.split('/').at(-1)} was not read: ${problemOf(error)}`
    return null
  })
  if (bytes !== null) into.files.push({ path: full, text: new TextDecoder('utf-8').decode(bytes) })
}

/** The report files of a command: one path, or a glob under the checkout. Files older than `since` (epoch ms) are left out. */
export async function loadReports(command: DetectedCommand, folder: string, reportFolder: string, since: number): Promise<LoadedReports> {
  const loaded = nothingYet()
  const wanted = command.report?.path?.replaceAll('{report}', reportFolder)
  if (wanted === undefined) return loaded
  if (!/[*?[]/.test(wanted)) {
    await load(wanted.startsWith(`${reportFolder}/`) ? reportFolder : folder, wanted, since, loaded)
    return loaded
  }
  const found: string[] = []
  for await (const path of glob(wanted, { cwd: folder, exclude: (it) => IGNORED.includes(it.split('/').at(-1) ?? '') })) {
    found.push(path)
    if (found.length >= MOST_FILES) break
  }
  for (const path of found.toSorted()) await load(folder, path, since, loaded)
  return loaded
}

/** Everything else that was written into the report folder: XML files of googletest and pytest, one level deep. */
export async function loadExtra(reportFolder: string): Promise<ReportFile[]> {
  const loaded = nothingYet()
  const entries = await readdir(reportFolder, { recursive: true, withFileTypes: true }).catch(() => [])
  const paths = entries.filter((it) => it.isFile() && it.name.endsWith('.xml')).map((it) => join(it.parentPath, it.name))
  for (const path of paths.toSorted().slice(0, MOST_FILES)) await load(reportFolder, path, 0, loaded)
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
  const loaded = nothingYet()
  // Exact, not a second early: nobody asked for these files, so an old one must not speak for this run.
  for (const name of USUAL) await load(folder, name, since + 1000, loaded)
  return loaded.files
}
