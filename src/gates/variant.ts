import { chmod, lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileChange, Scratch } from '../workspace/port.ts'
import { type Bench, readBytesIn } from './bench.ts'

// A file of this size is not what decides whether a test passes.
const MAX_BYTES = 64 * 1024 * 1024

/**
 * A fresh checkout of the base with some of the change's files in it: the counterfactuals that the judge asks about. Symlinks and submodules
 * of the change are left as the base has them. Needs a comparison; dispose it.
 */
export async function variantOfBase(bench: Bench, pick: (change: FileChange) => boolean): Promise<Scratch> {
  const { comparison, checkout } = bench.request
  if (!comparison) throw new Error('a variant of the base needs a base')
  const scratch = await comparison.baseCheckout()
  try {
    for (const change of comparison.changes.filter(pick)) {
      if (change.status === 'deleted') {
        await scratch.put(change.path, null)
        continue
      }
      const bytes = await readBytesIn(checkout.path, change.path, MAX_BYTES)
      if (bytes === null) continue
      await scratch.put(change.path, bytes)
      const { mode } = await lstat(join(checkout.path, change.path))
      if ((mode & 0o100) !== 0) await chmod(join(scratch.path, change.path), 0o755)
    }
    return scratch
  } catch (error) {
    await scratch.dispose()
    throw error
  }
}
