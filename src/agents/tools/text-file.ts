import { problemOf } from '../../core/errors.ts'
import { checkNewName } from '../../workspace/paths.ts'
import { writeRefusal } from './permissions.ts'
import type { ToolContext } from './tool.ts'

export type Loaded = { ok: true; path: string; text: string | null } | { ok: false; path: string; problem: string }

/** Reads a text file for a tool. `text` is null when there is no such file. Never throws. */
export async function loadText(tool: string, path: string, context: ToolContext): Promise<Loaded> {
  let checked = path
  try {
    checked = context.files.check(path)
    const refusal = context.guard.refusal(checked)
    if (refusal !== null) return { ok: false, path: checked, problem: `${tool}: ${refusal}` }
    const bytes = await context.files.read(checked, context.guard.maxBytes)
    if (bytes === null) return { ok: true, path: checked, text: null }
    if (bytes.subarray(0, 8192).includes(0)) return { ok: false, path: checked, problem: `${tool}: "${checked}" is a binary file.` }
    // A byte order mark stays where it is: `ignoreBOM` keeps it in the text.
    return { ok: true, path: checked, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch (error) {
    const problem = error instanceof TypeError ? `"${checked}" is not UTF-8 text.` : problemOf(error)
    return { ok: false, path: checked, problem: `${tool}: ${problem}` }
  }
}

/** Same, for a file that is going to be written: also asks the permissions, and for a new one whether its name is fit for all systems. */
export async function loadForWriting(tool: string, path: string, context: ToolContext): Promise<Loaded> {
  const refusal = refusalFor(tool, path, context)
  if (refusal !== null) return refusal
  const loaded = await loadText(tool, path, context)
  if (!loaded.ok || loaded.text !== null) return loaded
  try {
    checkNewName(loaded.path)
    return loaded
  } catch (error) {
    return { ok: false, path: loaded.path, problem: `${tool}: ${problemOf(error)}` }
  }
}

/** The refusal of a write by the path rules, the permissions or the file rules, null when it is allowed. */
export function refusalFor(tool: string, path: string, context: ToolContext): (Loaded & { ok: false }) | null {
  try {
    const checked = context.files.check(path)
    const refusal = writeRefusal(checked, context) ?? context.guard.writeRefusal([checked])
    return refusal === null ? null : { ok: false, path: checked, problem: `${tool}: ${refusal}` }
  } catch (error) {
    return { ok: false, path, problem: `${tool}: ${problemOf(error)}` }
  }
}

/** Why a new text is not accepted: it is too large, or it does not parse any more. `note`: it never parsed, which is worth telling. */
export async function textProblem(
  path: string,
  before: string | null,
  after: string,
  context: ToolContext,
): Promise<{ problem: string | null; note: string }> {
  const { maxBytes } = context.guard
  if (Buffer.byteLength(after) > maxBytes) {
    return { problem: `"${path}" would be larger than ${maxBytes / 1024 / 1024} MiB (files.max_size_mb); write smaller files.`, note: '' }
  }
  const error = await context.syntaxErrors(path, after)
  if (!error) return { problem: null, note: '' }
  const place = `line ${error.line}: ${error.message}`
  if (before === null) return { problem: null, note: ` Warning: it does not parse, ${place}` }
  const wasBroken = (await context.syntaxErrors(path, before)) !== null
  if (wasBroken) return { problem: null, note: ` Warning: it still does not parse, ${place}` }
  return {
    problem: `with this change "${path}" would no longer parse, ${place}. Nothing was changed; send the edit again, whole.`,
    note: '',
  }
}

/** Writes and turns what goes wrong into a sentence; null when all is well. */
export async function store(tool: string, path: string, text: string, context: ToolContext): Promise<string | null> {
  try {
    await context.files.write(path, text)
    context.guard.wrote(path)
    return null
  } catch (error) {
    return `${tool}: ${problemOf(error)}`
  }
}
