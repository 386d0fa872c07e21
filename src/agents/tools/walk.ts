import { ripgrep } from './ripgrep.ts'
import type { ToolContext } from './tool.ts'

const MAX_FILES = 20_000
/** Folders that are never source, for the walk without ripgrep. */
const SKIPPED = new Set(['.git', 'node_modules', 'dist', 'build', 'target', '__pycache__', '.venv', 'venv', 'coverage', '_build', 'deps'])

/** The files below a folder, sorted, without ignored ones. Throws a sentence when the folder is none that a tool may look into. */
export async function walk(folder: string, context: ToolContext): Promise<{ files: string[]; complete: boolean }> {
  const root = folder === '.' || folder === './' || folder === '' ? '.' : context.files.check(folder.replace(/\/+$/, ''))
  // Also asks whether it is a folder at all; throws when it is not.
  await context.files.list(root)
  const found = await ripgrep(['--files', '--sort=path', '--', root], context)
  if (found?.exitCode === 0 || found?.exitCode === 1) {
    const files = found.stdout
      .split('\n')
      .filter((it) => it !== '' && !it.startsWith('[...'))
      .map((it) => it.replace(/^\.\//, ''))
      .filter((it) => context.guard.refusal(it) === null)
    return { files: files.slice(0, MAX_FILES), complete: found.dropped === 0 && files.length <= MAX_FILES }
  }
  return byHand(root, context)
}

async function byHand(root: string, context: ToolContext): Promise<{ files: string[]; complete: boolean }> {
  const files: string[] = []
  const folders = [root]
  while (folders.length > 0 && files.length < MAX_FILES) {
    const folder = folders.shift() ?? '.'
    for (const entry of await context.files.list(folder)) {
      const path = folder === '.' ? entry.name : `${folder}/${entry.name}`
      if (entry.kind === 'file' && context.guard.refusal(path) === null) files.push(path)
      if (entry.kind === 'folder' && !SKIPPED.has(entry.name)) folders.push(path)
    }
    context.signal.throwIfAborted()
  }
  return { files: files.toSorted(), complete: folders.length === 0 }
}
