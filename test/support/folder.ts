import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A temporary folder that is removed when the test is over. Real path, unique. */
export function temporaryFolder(name = 'reeve-test-'): string {
  const { folder, remove } = lastingFolder(name)
  onTestFinished(remove)
  return folder
}

/** A temporary folder that the caller removes: for what the tests of a suite share. */
export function lastingFolder(name = 'reeve-test-'): { folder: string; remove: () => void } {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), name)))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) }
}

/** Writes files below a folder: path -> content. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}
