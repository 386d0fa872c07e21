import { type GitPlace, git, outputOf, tryGit } from './git.ts'
import type { FileChange } from './port.ts'

const PLAIN = ['--no-renames', '--no-ext-diff', '--no-textconv', '--no-color', '--ignore-submodules=none']

/** What differs between two commits or trees, file by file. */
export async function changesBetween(place: GitPlace, from: string, to: string): Promise<FileChange[]> {
  return parseChanges(await git(place, ['diff-tree', '-r', '-z', '--raw', '--numstat', ...PLAIN, from, to]))
}

/** Reads `diff-tree -z --raw --numstat`: first all raw lines (`:modes ids status`, path), then all counts (`added removed path`). */
export function parseChanges(listing: string): FileChange[] {
  const changes = new Map<string, FileChange>()
  const tokens = listing.split('\0')
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? ''
    if (token.startsWith(':')) {
      const [from = '', to = '', , , letter = ''] = token.slice(1).split(' ')
      const path = tokens[++at] ?? ''
      const status = letter === 'A' ? 'added' : letter === 'D' ? 'deleted' : 'modified'
      changes.set(path, { path, status, opaque: isLink(from) || isLink(to), added: 0, removed: 0 })
    } else if (token !== '') {
      const [added = '', removed = '', ...rest] = token.split('\t')
      const change = changes.get(rest.join('\t'))
      if (!change) continue
      if (added === '-') change.opaque = true
      if (change.opaque) continue
      change.added = Number(added)
      change.removed = Number(removed)
    }
  }
  return [...changes.values()]
}

/** Symlink or submodule. */
function isLink(mode: string): boolean {
  return mode === '120000' || mode === '160000'
}

/** Unified diff of two commits or trees, cut after `maxBytes` with a line that says so. */
export async function patchBetween(place: GitPlace, from: string, to: string, maxBytes: number): Promise<string> {
  const args = ['diff-tree', '-r', '-p', '--src-prefix=a/', '--dst-prefix=b/', ...PLAIN, from, to]
  // Half of what is kept is the head, which is all that is wanted of a long one.
  const result = await tryGit(place, args, { keepBytes: maxBytes * 2 })
  const bytes = Buffer.from(result.dropped > 0 || result.ended === 'flooded' ? result.stdout : outputOf(result, args))
  if (bytes.length <= maxBytes && result.dropped === 0) return bytes.toString()
  const head = bytes.subarray(0, maxBytes).toString()
  return `${head.slice(0, head.lastIndexOf('\n') + 1)}[the patch goes on; it was cut after ${maxBytes} bytes]\n`
}
