import { z } from 'zod'
import { problemOf } from '../../core/errors.ts'
import { replaceOnce } from './edit/ladder.ts'
import { type FilePatch, type Hunk, parsePatch } from './edit/patch.ts'
import { loadForWriting, refusalFor, store, textProblem } from './text-file.ts'
import { refused, type Tool, type ToolContext, type ToolOutcome } from './tool.ts'

const input = z.object({ patch: z.string().min(1).describe('A unified diff, or an envelope that begins with "*** Begin Patch"') })

/** What is to be written once every file of the patch has been accepted. `text` null: delete. */
interface Change {
  path: string
  text: string | null
  note: string
}

export const applyPatchTool: Tool<z.infer<typeof input>> = {
  name: 'apply_patch',
  file: 'apply-patch',
  input,
  allowed: (permissions) => permissions.write !== 'none',
  run: async ({ patch }, context: ToolContext): Promise<ToolOutcome> => {
    const parsed = parsePatch(patch)
    if (!parsed.ok) return refused('', `apply_patch: ${parsed.problem}`)
    const target = parsed.files.map((it) => it.path).join(', ')

    // First everything is worked out, then everything is written: a patch that fits only in part changes nothing.
    const changes: Change[] = []
    for (const file of parsed.files) {
      const planned = await plan(file, changes, context)
      if (typeof planned === 'string') return refused(target, `apply_patch: ${planned} Nothing was changed.`)
      changes.push(...planned)
    }
    const tooMany = context.guard.writeRefusal(changes.map((it) => it.path))
    if (tooMany !== null) return refused(target, `apply_patch: ${tooMany} Nothing was changed.`)
    for (const change of changes) {
      const problem = await write(change, context)
      if (problem !== null) return { ...refused(target, `${problem} Files before it in the patch were changed.`), changed: true }
    }
    const lines = changes.map((it) => `${it.text === null ? 'Deleted' : 'Wrote'} ${it.path}.${it.note}`)
    return { ok: true, text: lines.join('\n'), target, summary: `${changes.length} file${changes.length === 1 ? '' : 's'}`, changed: true }
  },
}

async function write(change: Change, context: ToolContext): Promise<string | null> {
  if (change.text !== null) return store('apply_patch', change.path, change.text, context)
  try {
    await context.files.delete(change.path)
    context.guard.wrote(change.path)
    return null
  } catch (error) {
    return `apply_patch: ${problemOf(error)}`
  }
}

/** The changes of one file, or the sentence that refuses it. */
async function plan(file: FilePatch, before: readonly Change[], context: ToolContext): Promise<Change[] | string> {
  const refusal = refusalFor('apply_patch', file.path, context)
  if (refusal) return bare(refusal.problem)
  const loaded = await loadForWriting('apply_patch', file.path, context)
  if (!loaded.ok) return bare(loaded.problem)
  const { path } = loaded
  // A file may stand in a patch twice.
  const earlier = before.findLast((it) => it.path === path)
  const text = earlier ? earlier.text : loaded.text

  if (file.kind === 'delete') return text === null ? `there is no file "${path}" to delete.` : [{ path, text: null, note: '' }]
  if (file.kind === 'add') {
    if (text !== null) return `"${path}" is there already; update it instead of adding it.`
    return checked(path, null, file.text, context)
  }
  if (text === null) return `there is no file "${path}"; list_files shows what is there.`
  const updated = applyHunks(text, file.hunks)
  if (!updated.ok) return `"${path}": ${updated.problem}`
  if (file.moveTo === null) return file.hunks.length === 0 ? `"${path}" has no hunk.` : checked(path, text, updated.text, context)
  return move({ from: path, to: file.moveTo, text, updated: updated.text }, before, context)
}

interface Move {
  from: string
  to: string
  text: string
  updated: string
}

async function move({ from, to, text, updated }: Move, before: readonly Change[], context: ToolContext): Promise<Change[] | string> {
  const target = await loadForWriting('apply_patch', to, context)
  if (!target.ok) return bare(target.problem)
  const earlier = before.findLast((it) => it.path === target.path)
  const there = earlier ? earlier.text : target.text
  if (there !== null || target.path === from) return `"${target.path}" is there already; nothing is moved over it.`
  const written = await checked(target.path, text, updated, context)
  return typeof written === 'string' ? written : [...written, { path: from, text: null, note: '' }]
}

async function checked(path: string, before: string | null, after: string, context: ToolContext): Promise<Change[] | string> {
  const { problem, note } = await textProblem(path, before, after, context)
  return problem === null ? [{ path, text: after, note }] : problem.replace(' Nothing was changed;', ' Please')
}

function bare(problem: string): string {
  return problem.replace(/^apply_patch: /, '')
}

type Applied = { ok: true; text: string } | { ok: false; problem: string }

/** Applies hunks from top to bottom; each by the same ladder as edit_file. */
export function applyHunks(text: string, hunks: readonly Hunk[]): Applied {
  let current = text
  let shift = 0
  for (const [at, hunk] of hunks.entries()) {
    const named = hunks.length > 1 ? `hunk ${at + 1}: ` : ''
    const after = afterAnchors(current, hunk.anchors)
    if (after === null) return { ok: false, problem: `${named}the line \`${hunk.anchors.at(-1)}\` after "@@" is not in the file.` }
    const line = hunk.atLine === null ? undefined : hunk.atLine + shift
    const next = hunk.old.length === 0 ? insert(current, hunk, after, line) : replaceHunk(current, hunk, after, line)
    if (!next.ok) return { ok: false, problem: named + next.problem }
    current = next.text
    shift += hunk.new.length - hunk.old.length
  }
  return { ok: true, text: current }
}

function replaceHunk(text: string, hunk: Hunk, after: number, line: number | undefined): Applied {
  if (hunk.old.join('\n') === hunk.new.join('\n')) return { ok: true, text }
  const options = { afterLine: after, ...(line === undefined ? {} : { atLine: line }) }
  const whole = replaceOnce(text, withEnds(hunk.old), withEnds(hunk.new), options)
  if (whole.ok || text.endsWith('\n')) return whole
  // The file's last line has no line end: try the hunk without its own.
  return replaceOnce(text, hunk.old.join('\n'), hunk.new.join('\n'), options)
}

function withEnds(lines: readonly string[]): string {
  return lines.map((it) => `${it}\n`).join('')
}

/** A hunk that only adds: after its anchor, else at its line, else at the end of the file. */
function insert(text: string, hunk: Hunk, after: number, line: number | undefined): Applied {
  const lines = text.split('\n')
  const last = text.endsWith('\n') ? lines.length - 1 : lines.length
  const at = after > 0 ? after : line === undefined ? last : Math.min(line, last)
  const fresh = text.includes('\r\n') ? hunk.new.map((it) => `${it}\r`) : hunk.new
  return { ok: true, text: [...lines.slice(0, at), ...fresh, ...lines.slice(at)].join('\n') }
}

/** The number of the line of the last anchor; 0 without anchors, null when one is missing. */
function afterAnchors(text: string, anchors: readonly string[]): number | null {
  const lines = text.split('\n')
  let at = 0
  for (const anchor of anchors) {
    const found = lines.findIndex((it, index) => index >= at && it.trim() === anchor.trim())
    const near = found >= 0 ? found : lines.findIndex((it, index) => index >= at && it.includes(anchor.trim()))
    if (near < 0) return null
    at = near + 1
  }
  return at
}
