import { problemOf } from '../../core/errors.ts'
import { replaceOnce } from '../tools/edit/ladder.ts'
import { loadForWriting, refusalFor, store, textProblem } from '../tools/text-file.ts'
import type { ToolContext } from '../tools/tool.ts'
import { withLineEndsOf } from '../tools/write-file.ts'
import type { Edit } from './answer.ts'

/** What became of one file's edits. `unchanged`: they were in place already. */
export interface Applied {
  path: string
  outcome: 'written' | 'deleted' | 'unchanged' | 'refused'
  /** For the model: what is wrong and the next move, or what is worth knowing. */
  text: string
}

/** Applies proposed edits file by file: all edits of a file or none of them. The rules are those of the tools that write. */
export async function applyEdits(edits: readonly Edit[], context: ToolContext): Promise<Applied[]> {
  const applied: Applied[] = []
  for (const [path, ofFile] of Map.groupBy(edits, (it) => normal(it.path, context))) {
    if (context.signal.aborted) break
    applied.push(await applyTo(path, ofFile, context))
  }
  return applied
}

/** A path that is none stays as it is, and is refused later. */
function normal(path: string, context: ToolContext): string {
  try {
    return context.files.check(path)
  } catch {
    return path
  }
}

async function applyTo(wanted: string, edits: readonly Edit[], context: ToolContext): Promise<Applied> {
  const refused = (problem: string, path = wanted): Applied => ({ path, outcome: 'refused', text: problem.replace(/^edit: /, '') })
  const refusal = refusalFor('edit', wanted, context)
  if (refusal) return refused(refusal.problem)
  const loaded = await loadForWriting('edit', wanted, context)
  if (!loaded.ok) return refused(loaded.problem)
  const { path, text: before } = loaded
  const worked = workOut(before, edits)
  if (!worked.ok) return refused(`${worked.problem}${edits.length > 1 ? ' None of the edits of this file was made.' : ''}`, path)
  const { text: after } = worked
  if (after === before) return { path, outcome: 'unchanged', text: 'it is like that already' }
  if (after === null) return remove(path, context)
  const { problem, note } = await textProblem(path, before, after, context)
  if (problem !== null) return refused(problem, path)
  const failed = await store('edit', path, after, context)
  return failed === null ? { path, outcome: 'written', text: note.trim() } : refused(failed, path)
}

async function remove(path: string, context: ToolContext): Promise<Applied> {
  try {
    await context.files.delete(path)
    context.guard.wrote(path)
    return { path, outcome: 'deleted', text: '' }
  } catch (error) {
    return { path, outcome: 'refused', text: problemOf(error) }
  }
}

type Worked = { ok: true; text: string | null } | { ok: false; problem: string }

/** The text of a file after all its edits; null when it is to be deleted. */
function workOut(before: string | null, edits: readonly Edit[]): Worked {
  let text = before
  for (const edit of edits) {
    if ('delete' in edit) text = null
    else if ('content' in edit) text = withLineEndsOf(text, edit.content)
    else {
      if (text === null) return { ok: false, problem: 'there is no such file; give its whole content, or edit another one.' }
      if (isInPlace(text, edit)) continue
      const replaced = replaceOnce(text, edit.find, edit.replace)
      if (!replaced.ok) return { ok: false, problem: inOurWords(replaced.problem) }
      text = replaced.text
    }
  }
  return { ok: true, text }
}

/** A shorter text may stand anywhere in a file by chance. */
const TELLING = 10

/** A model that is asked again may propose again what is done. */
function isInPlace(text: string, { find, replace }: { find: string; replace: string }): boolean {
  if (find === replace) return text.includes(find)
  return replace.trim().length >= TELLING && !text.includes(find) && text.includes(replace)
}

/** The ladder speaks to models with tools. */
function inOurWords(problem: string): string {
  return problem
    .replace(' (read_file shows them)', ' as it is shown')
    .replace('read the file again with read_file', 'copy from the file as it is shown')
}
