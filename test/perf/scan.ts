import { mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { listProjectFiles } from '../../src/scanner/files.ts'
import { repoMap } from '../../src/scanner/repo-map.ts'
import { scanRepository } from '../../src/scanner/scan.ts'
import { symbolReader } from '../../src/scanner/symbols.ts'
import type { Checkout } from '../../src/workspace/port.ts'
import { generateRepository } from './files.ts'
import { type Figure, figure, inTurns, millisecondsOf } from './measure.ts'

const FILES = 5000

/** A scan in files per second, against reading the same files one after another and doing nothing with them. */
export async function scan(folder: string, files = FILES): Promise<Figure> {
  const checkout = generated(folder, files)
  const paths = await listProjectFiles(checkout)
  const measured = await inTurns(
    5,
    () => millisecondsOf(() => scanRepository(checkout)),
    () =>
      millisecondsOf(async () => {
        for (const path of paths) await readFile(join(checkout.path, path), 'utf8')
      }),
  )
  const perSecond = Math.round((files * 1000) / measured.ours)
  return figure(`a scan of ${files} files (${perSecond} files per second)`, measured, 'reading each file once')
}

/** The repository map in parsed files per second, nothing remembered from before, against the same map again. */
export async function map(folder: string, files = 1000): Promise<Figure> {
  const checkout = generated(folder, files)
  const before = symbolReader()
  try {
    const measured = await inTurns(
      3,
      async () => {
        const fresh = symbolReader()
        const spent = await millisecondsOf(() => repoMap(checkout, { tokens: 2000 }, fresh))
        await fresh.close()
        return spent
      },
      () => millisecondsOf(() => repoMap(checkout, { tokens: 2000 }, before)),
    )
    const perSecond = Math.round((files * 1000) / measured.ours)
    return figure(`a map of ${files} files (${perSecond} files per second)`, measured, 'the same map again')
  } finally {
    await before.close()
  }
}

function generated(folder: string, files: number): Checkout {
  const root = join(folder, `scanned-${files}`)
  mkdirSync(root, { recursive: true })
  generateRepository(root, files)
  return { path: root, targetDir: '.', env: {} }
}
