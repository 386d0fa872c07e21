import { ReeveError } from '../core/errors.ts'
import { type GitPlace, git, gitIn, items, outputOf, type Person, REEVE, readUserConfig, resolveTree, tryGit } from './git.ts'
import { checkOutChanges } from './land-checkout.ts'
import type { Project } from './port.ts'
import { openProject } from './project.ts'
import { withPrivateGit } from './rescue.ts'
import { mergeBase, resolveCommit } from './revisions.ts'
import { readRef, runRef } from './worktree.ts'

export interface Landing {
  project: Project
  run: string
  /** The run's last commit, reachable in the user's repository. */
  commit: string
  base: string
  how: 'branch' | 'merge' | 'squash'
  /** The branch that is made or moved, or that the merge message names. */
  branch?: string
  /** Branch to merge into; default: the one the user is on. */
  into?: string
  message: string
  trailers: Readonly<Record<string, string>>
  /** A branch then ends with a commit of its own that says so: the run's own commits do not know what became of them. */
  forced?: boolean
}

// A type, not an interface: steps keep it as JSON.
export type Landed = { branch: string; commit: string }

/**
 * Brings a run's commits to the user's branches. Either all of it happens or nothing does; doing it again changes nothing. Throws
 * `merge_conflict`, `dirty_checkout`, `branch_taken`, `unknown_revision`.
 */
export function land(landing: Landing): Promise<Landed> {
  if (landing.how === 'branch') return landBranch(landing)
  return landing.how === 'merge' ? landMerge(landing) : landSquash(landing)
}

/** Makes the branch, or moves it forward to the run's commit. One that others have added to is left alone: `branch_taken`. */
export async function landBranch(landing: Landing): Promise<Landed> {
  const { project, run } = landing
  const branch = landing.branch ?? ''
  const valid = await tryGit({ gitDir: project.gitDir }, ['check-ref-format', '--branch', branch])
  if (valid.exitCode !== 0 || branch.startsWith('-'))
    throw new ReeveError('invalid_input', { problem: `"${branch}" is not a branch name.` })
  const ref = `refs/heads/${branch}`
  const now = await readRef(project, ref)
  const commit = await namedCommit(landing, now)
  if (now === commit) return { branch, commit }
  const taken = new ReeveError('branch_taken', { branch, run })
  if (now !== null && !(await isWithin(project, now, commit)) && !(await isOfRun(project, run, now))) throw taken
  const holder = (await worktreesOf(project)).find((it) => it.branch === branch)
  if (now !== null && holder && holder.lock !== `reeve run ${run}`) throw taken
  await gitIn(project, ['update-ref', '-m', `reeve: land ${run}`, ref, commit, now ?? '0'.repeat(commit.length)])
  return { branch, commit }
}

/** The run's commit; when it is forced, an empty one on top of it that says so: the one that is there already, or a new one. */
async function namedCommit(landing: Landing, now: string | null): Promise<string> {
  const { project } = landing
  const commit = await resolveCommit(project, landing.commit)
  if (landing.forced !== true) return commit
  const message = withTrailers(landing)
  if (now !== null) {
    const there = await gitIn(project, ['log', '-1', '--format=%T %P%n%B', now])
    if (there.trim() === `${await resolveTree(project, commit)} ${commit}\n${message}`.trim()) return now
  }
  const args = ['commit-tree', await resolveTree(project, commit), '-p', commit, '-F', '-']
  return (await gitIn(project, args, { input: message, author: await authorOf(project) })).trim()
}

/** A merge commit on the user's branch. */
export function landMerge(landing: Landing): Promise<Landed> {
  return landOnto(landing, (target, commit) => [target, commit])
}

/** One commit on the user's branch with all of the run's changes. */
export function landSquash(landing: Landing): Promise<Landed> {
  return landOnto(landing, (target) => [target])
}

async function landOnto(landing: Landing, parentsOf: (target: string, commit: string) => string[]): Promise<Landed> {
  const { run, base } = landing
  const project = await openProject(landing.project.root) // the user may have changed branches since the run began
  const branch = landing.into ?? project.branch
  if (branch === null) throw new ReeveError('invalid_input', { problem: 'HEAD is on no branch; name the branch to land on.' })
  const commit = await resolveCommit(project, landing.commit)
  const target = await resolveCommit(project, `refs/heads/${branch}`)
  const before = await landedBefore(project, { run, base, target })
  if (before !== null) return { branch, commit: before }
  if (await isWithin(project, commit, target)) return { branch, commit: target }

  return await withPrivateGit(project, async (gitDir) => {
    // New objects go straight to the user's repository; what is not referred to in the end, git removes some day.
    const place = { gitDir, objects: `${project.gitDir}/objects` }
    const tree = await mergedTree(place, { target, commit, branch, run, from: landing.branch ?? runRef(run) })
    const parents = parentsOf(target, commit).flatMap((it) => ['-p', it])
    const author = await authorOf(project)
    const message = withTrailers(landing)
    const made = (await git(place, ['commit-tree', tree, ...parents, '-F', '-'], { input: message, author })).trim()
    const move = () => gitIn(project, ['update-ref', '-m', `reeve: land ${run}`, `refs/heads/${branch}`, made, target])
    const checkout = (await worktreesOf(project)).find((it) => it.branch === branch)
    if (checkout) await checkOutChanges({ place, run, checkout: checkout.path, from: target, to: made, move })
    else await move()
    return { branch, commit: made }
  })
}

/** The merge of two commits, computed without a checkout. Throws `merge_conflict` with the files. */
async function mergedTree(
  place: GitPlace,
  { target, commit, branch, run, from }: { target: string; commit: string; branch: string; run: string; from: string },
): Promise<string> {
  const args = ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', target, commit]
  const result = await tryGit(place, args)
  if (result.exitCode !== 1) return items(outputOf(result, args))[0] ?? ''
  const [, ...files] = items(result.stdout)
  throw new ReeveError('merge_conflict', { branch: from, target: branch, files: [...new Set(files)].join(', '), run })
}

/** The commit that landed this run earlier, found by its trailer. Checkpoints carry the run too, and their step. */
async function landedBefore(
  project: Project,
  { run, base, target }: { run: string; base: string; target: string },
): Promise<string | null> {
  const fork = await mergeBase(project, base, target)
  const range = fork === null ? [target] : [`${fork}..${target}`]
  const trailer = (key: string) => `%x09%(trailers:key=${key},valueonly,separator=%x2C)`
  const format = `--format=%H${trailer('Reeve-Run')}${trailer('Reeve-Step')}`
  const listing = await gitIn(project, ['log', '--first-parent', format, ...range])
  const lines = listing.split('\n').map((it) => it.split('\t'))
  return lines.find(([, landed, step]) => landed === run && step === '')?.[0] ?? null
}

function withTrailers({ run, message, trailers }: Landing): string {
  const lines = Object.entries({ 'Reeve-Run': run, ...trailers }).map(([name, value]) => `${name}: ${value.replaceAll(/\s+/g, ' ')}`)
  return `${message.trim()}\n\n${lines.join('\n')}\n`
}

async function authorOf(project: Project): Promise<Person> {
  const config = new Map(await readUserConfig(project.gitDir, '^user\\.(name|email)$'))
  const [name, email] = [config.get('user.name'), config.get('user.email')]
  return name && email ? { name, email } : REEVE
}

async function isWithin(project: Project, ancestor: string, commit: string): Promise<boolean> {
  return (await tryGit({ gitDir: project.gitDir }, ['merge-base', '--is-ancestor', ancestor, commit])).exitCode === 0
}

/** Is a commit one that this run has made? */
async function isOfRun(project: Project, run: string, commit: string): Promise<boolean> {
  const where = [runRef(run), `refs/reeve/attempts/${run}/`]
  return (await gitIn(project, ['for-each-ref', '--contains', commit, '--format=%(refname)', ...where])).trim() !== ''
}

interface Worktree {
  path: string
  branch: string | null
  lock: string | null
}

async function worktreesOf(project: Project): Promise<Worktree[]> {
  const listing = await gitIn(project, ['worktree', 'list', '--porcelain', '-z'])
  return listing
    .split('\0\0')
    .filter((it) => it !== '' && !it.split('\0').includes('bare'))
    .map((block) => {
      const lines = block.split('\0')
      const value = (name: string) => lines.find((it) => it.startsWith(`${name} `))?.slice(name.length + 1) ?? null
      return { path: value('worktree') ?? '', branch: value('branch')?.replace(/^refs\/heads\//, '') ?? null, lock: value('locked') }
    })
}
