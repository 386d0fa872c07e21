import { z } from 'zod'
import { problemOf } from '../../core/errors.ts'
import { refusalFor } from './text-file.ts'
import { refused, type Tool, type ToolContext, type ToolOutcome } from './tool.ts'

const input = z.object({ path: z.string().min(1).describe('From the root of the repository') })

export const deleteFileTool: Tool<z.infer<typeof input>> = {
  name: 'delete_file',
  file: 'delete-file',
  input,
  allowed: (permissions) => permissions.write !== 'none',
  run: async ({ path: wanted }, context: ToolContext): Promise<ToolOutcome> => {
    const refusal = refusalFor('delete_file', wanted, context)
    if (refusal) return refused(refusal.path, refusal.problem)
    const path = context.files.check(wanted)
    try {
      await context.files.delete(path)
      context.guard.wrote(path)
      return { ok: true, text: `Deleted ${path}.`, target: path, summary: 'deleted', changed: true }
    } catch (error) {
      return refused(path, `delete_file: ${problemOf(error)}`)
    }
  },
}
