import type { FileSettings } from '../../core/settings.ts'
import type { AgentRequest } from '../port.ts'
import { guardFiles } from '../tools/file-guard.ts'
import { writeRefusal } from '../tools/permissions.ts'

const NAMED = 5

/** What a program has done to the files that its role may not do. */
export interface TreeFindings {
  /** Has anything changed? */
  changed: boolean
  /** A role that only reads has written: a sentence. */
  broke: string | null
  /** Files were put back: a sentence. */
  putBack: string | null
  /** More files were written than a step may: a sentence. */
  tooMany: string | null
}

export const NOTHING_FOUND: TreeFindings = { changed: false, broke: null, putBack: null, tooMany: null }

/**
 * Remembers how the files are before a program that is an agent itself gets at them. `look` then finds what it changed against the rules of its
 * role: our own tools ask before they write, its tools do not. What was not allowed is kept as an attempt, then put back.
 */
export async function guardTree(request: AgentRequest, rules: FileSettings): Promise<{ look(): Promise<TreeFindings> }> {
  const { workspace, role } = request
  const { permissions } = role
  // Nothing is committed where nothing has changed since the last step.
  const { commit, tree } = await workspace.checkpoint('chore: keep the files as an agent found them')
  return {
    async look() {
      const none = NOTHING_FOUND
      if ((await workspace.treeHash()) === tree) return none
      const paths = (await workspace.changes(commit)).map((it) => it.path)
      if (permissions.write === 'none') {
        return { ...none, changed: true, broke: `The role "${role.name}" only reads, but these files were changed: ${list(paths)}.` }
      }
      const refused = refusedIn(paths, request, rules)
      const left = paths.length - refused.length
      const findings = { ...none, changed: left > 0, tooMany: left > rules.max_files ? manySentence(left, rules.max_files) : null }
      if (refused.length === 0) return findings
      const kept = await workspace.keepAttempt()
      await workspace.putBack(commit, refused)
      return {
        ...findings,
        putBack: `The role "${role.name}" may not change ${list(refused)}: put back as it was; what was written is kept in ${kept.ref}.`,
      }
    },
  }
}

/** Those of these paths that a role may not write. */
export function refusedIn(paths: readonly string[], request: AgentRequest, rules: FileSettings): string[] {
  const { role, protectedPaths } = request
  const { permissions } = role
  const guard = guardFiles({ ...rules, max_files: Number.MAX_SAFE_INTEGER }, permissions)
  const about = { role: role.name, permissions, isTestFile: (path: string) => request.isTestFile(path), protectedPaths }
  return paths.filter((it) => writeRefusal(it, about) !== null || guard.writeRefusal([it]) !== null)
}

function manySentence(count: number, most: number): string {
  return `${count} files were written or deleted; one step may do that to ${most} (files.max_files).`
}

export function list(paths: readonly string[]): string {
  const more = paths.length - NAMED
  return `${paths.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
