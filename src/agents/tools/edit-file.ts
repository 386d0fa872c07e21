import { z } from 'zod'
import { replaceOnce } from './edit/ladder.ts'
import { loadForWriting, store, textProblem } from './text-file.ts'
import { refused, type Tool, type ToolContext, type ToolOutcome } from './tool.ts'

const input = z.object({
  path: z.string().min(1).describe('From the root of the repository'),
  old: z.string().min(1).describe('The text to replace, as it is in the file, with enough lines around it to occur once'),
  new: z.string().describe('The text to put there; empty to delete'),
  all: z.boolean().default(false).describe('Replace every occurrence of exactly this text'),
})

export const editFileTool: Tool<z.infer<typeof input>> = {
  name: 'edit_file',
  file: 'edit-file',
  input,
  allowed: (permissions) => permissions.write !== 'none',
  run: async (edit, context: ToolContext): Promise<ToolOutcome> => {
    const loaded = await loadForWriting('edit_file', edit.path, context)
    if (!loaded.ok) return refused(loaded.path, loaded.problem)
    const { path, text } = loaded
    if (text === null) return refused(path, `edit_file: there is no file "${path}"; make it with write_file.`)

    const replaced = replaceOnce(text, edit.old, edit.new, { all: edit.all })
    if (!replaced.ok) return refused(path, `edit_file: ${replaced.problem}`)
    const { problem, note } = await textProblem(path, text, replaced.text, context)
    if (problem !== null) return refused(path, `edit_file: ${problem}`)
    const failed = await store('edit_file', path, replaced.text, context)
    if (failed !== null) return refused(path, failed)

    const times = replaced.count === 1 ? '' : `, ${replaced.count} places`
    const how = replaced.rung === 'exact' ? '' : ` (found without regard to ${replaced.rung})`
    return {
      ok: true,
      text: `Edited ${path} at line ${replaced.line}${times}${how}.${note}`,
      target: path,
      summary: `line ${replaced.line}${times}`,
      changed: true,
    }
  },
}
