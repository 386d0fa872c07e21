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
    const content = withLineEndsOf(text, wanted.content)
    if (text === content) return { ok: true, text: `"${path}" already has this content.`, target: path, summary: 'unchanged' }

    const { problem, note } = await textProblem(path, text, content, context)
    if (problem !== null) return refused(path, `write_file: ${problem}`)
    const failed = await store('write_file', path, content, context)
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

/** Models write `\n`; a file that had only `\r\n` keeps it, or every line would count as changed. */
export function withLineEndsOf(before: string | null, content: string): string {
  if (before === null || content.includes('\r')) return content
  const lines = before.split('\n').length - 1
  return lines > 0 && before.split('\r\n').length - 1 === lines ? content.replaceAll('\n', '\r\n') : content
}
