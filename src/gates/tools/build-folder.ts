import { lstat, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DetectedCommand } from '../../scanner/port.ts'

/**
 * Makes the command's own build folder, which ignores itself so that nothing of it shows in `git status`. What stands in its place and is no
 * folder (a link that leads elsewhere) is removed, never followed.
 */
export async function makeBuildFolder(folder: string, command: DetectedCommand): Promise<void> {
  const { buildFolder } = command
  if (!buildFolder) return
  const path = join(folder, buildFolder.path)
  const stat = await lstat(path).catch(() => null)
  if (buildFolder.fresh || (stat !== null && !stat.isDirectory())) await rm(path, { recursive: true, force: true, maxRetries: 3 })
  await mkdir(path, { recursive: true })
  const ignore = join(path, '.gitignore')
  await rm(ignore, { recursive: true, force: true })
  await writeFile(ignore, '*\n', { flag: 'wx' })
}
