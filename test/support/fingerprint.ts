import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Refs that reeve may make; all others are the user's. */
const OURS = /^refs\/(?:reeve|heads\/auto)\//

/**
 * The state of a user's repository, part by part, as hashes: what must be byte-identical before and after a run. Compare with `toEqual`, so
 * that a difference names its part. Left out: what reeve may write (`refs/reeve/*`, `refs/heads/auto/*`, their reflogs, objects, registered worktrees).
 */
export function fingerprint(root: string): Record<string, string> {
  const gitDir = join(root, '.git')
  const files = Object.fromEntries(walk(root, '').map((path) => [`file ${path}`, fileHash(join(root, path))]))
  const inGit = ['HEAD', 'index', 'config', 'config.worktree', 'info/exclude', 'info/attributes', 'logs/HEAD', 'logs/refs/stash']
  const state = ['MERGE_HEAD', 'REBASE_HEAD', 'CHERRY_PICK_HEAD', 'rebase-merge', 'rebase-apply', 'index.lock', 'shallow']
  return {
    ...files,
    ...Object.fromEntries([...inGit, ...state].map((path) => [`git ${path}`, partHash(join(gitDir, path))])),
    hooks: existsSync(join(gitDir, 'hooks')) ? hash(readdirSync(join(gitDir, 'hooks')).toSorted().join('\n')) : 'none',
    refs: refs(root)
      .filter((line) => !OURS.test(line.split(' ')[1] ?? ''))
      .join('\n'),
  }
}

/** Branches and refs that reeve has made here. */
export function reeveRefs(root: string): string[] {
  return refs(root)
    .map((line) => line.split(' ')[1] ?? '')
    .filter((it) => OURS.test(it))
}

function refs(root: string): string[] {
  const text = execFileSync('git', ['for-each-ref', '--format=%(objectname) %(refname) %(symref)'], { cwd: root, encoding: 'utf8' })
  return text.split('\n').filter((it) => it !== '')
}

function walk(root: string, below: string): string[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((it) => {
    const path = below === '' ? it.name : `${below}/${it.name}`
    if (path === '.git') return []
    // A link is a file here, whatever it points at.
    return it.isDirectory() ? walk(root, path) : [path]
  })
}

function fileHash(path: string): string {
  const { mode } = lstatSync(path)
  const content = lstatSync(path).isSymbolicLink() ? readlinkSync(path) : readFileSync(path)
  return `${(mode & 0o7777).toString(8)} ${hash(content)}`
}

function partHash(path: string): string {
  if (!existsSync(path)) return 'none'
  return lstatSync(path).isDirectory() ? 'a folder' : fileHash(path)
}

function hash(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16)
}
