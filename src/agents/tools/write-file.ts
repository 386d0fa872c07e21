import { z } from 'zod'
import { loadForWriting, store, textProblem } from './text-file.ts'
import { refused, type Tool, type ToolContext, type ToolOutcome } from './tool.ts'

const input = z.object({
  path: z.string().min(1).describe('From the root of the repository'),
  content: z.string().describe('The whole content of the file'),
})

export const writeFileTool: Tool<z.infer<typeof input>> = {
  name: 'write_file',
  file: 'write-file',
  input,
  allowed: (permissions) => permissions.write !== 'none',
  run: async (wanted, context: ToolContext): Promise<ToolOutcome> => {
    const loaded = await loadForWriting('write_file', wanted.path, context)
    if (!loaded.ok) return refused(loaded.path, loaded.problem)
    const { path, text } = loaded
    if (text === wanted.content) return { ok: true, text: `"${path}" already has this content.`, target: path, summary: 'unchanged' }

    const { problem, note } = await textProblem(path, text, wanted.content, context)
    if (problem !== null) return refused(path, `write_file: ${problem}`)
    const failed = await store('write_file', path, wanted.content, context)
    if (failed !== null) return refused(path, failed)
    const lines = wanted.content === '' ? 0 : wanted.content.replace(/\n$/, '').split('\n').length
    const what = text === null ? 'Made' : 'Wrote'
    return {
      ok: true,
      text: `${what} ${path}, ${lines} lines.${note}`,
      target: path,
      summary: `${what.toLowerCase()}, ${lines} lines`,
      changed: true,
    }
  },
}
