import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import type { Entry } from './entry.ts'

const ROOT = join(import.meta.dirname, '../..')
// The longest of these tests takes seconds; with its defence off one may wait for what never comes.
const TEST_MS = 30_000
// A test that blocks its process, as an expression without an end does, knows no limit of its own.
const RUN_MS = 2 * 60_000
const RUN_MS_EACH = 15_000

export interface TestResult {
  /** From the root of the repository. */
  file: string
  name: string
  status: string
  /** How it failed, '' when it did not. */
  failure: string
}

/** A copy of this working tree, ignored files left out, in a temporary folder; the packages are shared. */
export function copyTree(): string {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'reeve-attacks-')))
  const listing = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    maxBuffer: 64 * 1024 * 1024,
  })
  for (const path of listing.toString().split('\0')) {
    // What is listed and not there has been deleted and not committed yet.
    if (path === '' || path.startsWith('docs/') || !existsSync(join(ROOT, path))) continue
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    cpSync(join(ROOT, path), join(copy, path), { verbatimSymlinks: true })
  }
  symlinkSync(realpathSync(join(ROOT, 'node_modules')), join(copy, 'node_modules'))
  return copy
}

interface Report {
  testResults: { name: string; assertionResults: { title: string; fullName: string; status: string; failureMessages: string[] }[] }[]
}

/** Runs the tests of these entries in a copy, and only them. */
export async function runTests(copy: string, entries: readonly Entry[]): Promise<TestResult[]> {
  const files = [...new Set(entries.map((it) => it.test.file))]
  if (files.length === 0) return []
  const names = [...new Set(entries.map((it) => RegExp.escape(it.test.name)))].join('|')
  const report = join(copy, 'attacks-report.json')
  await rm(report, { force: true })
  await vitest(
    copy,
    ['run', '--reporter=json', `--outputFile=${report}`, `--testTimeout=${TEST_MS}`, '-t', names, ...files],
    RUN_MS + entries.length * RUN_MS_EACH,
  )
  const text = await readFile(report, 'utf8').catch(() => '{"testResults":[]}')
  const { testResults } = JSON.parse(text) as Report
  return testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      // Those that the name left out.
      .filter((it) => it.status !== 'skipped' && it.status !== 'pending')
      .map((it) => ({
        file: relative(copy, name),
        name: it.fullName,
        status: it.status,
        failure: it.failureMessages.join('\n'),
      })),
  )
}

function vitest(cwd: string, args: readonly string[], limitMs: number): Promise<void> {
  const program = spawn(process.execPath, [join(cwd, 'node_modules/vitest/vitest.mjs'), ...args], { cwd, stdio: 'ignore', detached: true })
  const timer = setTimeout(() => process.kill(-(program.pid ?? 0), 'SIGKILL'), limitMs)
  return new Promise((done) => {
    program.once('close', () => {
      clearTimeout(timer)
      done()
    })
  })
}
