import { z } from 'zod'
import { loadText } from './text-file.ts'
import { refused, type Tool, type ToolContext, type ToolOutcome } from './tool.ts'

/** One answer's share: more would push the task out of a small model's memory. */
const MAX_LINES = 1500
const MAX_CHARS = 48_000
const MAX_LINE_CHARS = 2000

const input = z.object({
  path: z.string().min(1).describe('From the root of the repository, such as src/app.ts'),
  from: z.int().min(1).optional().describe('First line, from 1'),
  to: z.int().min(1).optional().describe('Last line'),
})

export const readFileTool: Tool<z.infer<typeof input>> = {
  name: 'read_file',
  file: 'read-file',
  input,
  allowed: () => true,
  run: async ({ path, from = 1, to }, context: ToolContext): Promise<ToolOutcome> => {
    const loaded = await loadText('read_file', path, context)
    if (!loaded.ok) return refused(path, loaded.problem)
    if (loaded.text === null) return refused(loaded.path, `read_file: there is no file "${loaded.path}"; list_files shows what is there.`)
    if (loaded.text === '') return { ok: true, text: '(the file is empty)', target: loaded.path, summary: 'empty' }

    const lines = loaded.text.split('\n')
    if (lines.at(-1) === '') lines.pop()
    if (from > lines.length) return refused(loaded.path, `read_file: "${loaded.path}" has ${lines.length} lines; there is no line ${from}.`)
    const { text, last } = numbered(lines, from, Math.min(to ?? lines.length, lines.length))
    const rest = last < (to ?? lines.length) && last < lines.length ? `\n(${lines.length} lines; go on with from: ${last + 1})` : ''
    return { ok: true, text: text + rest, target: loaded.path, summary: `lines ${from} to ${last} of ${lines.length}` }
  },
}

function numbered(lines: readonly string[], from: number, to: number): { text: string; last: number } {
  const shown: string[] = []
  let chars = 0
  let last = from
  for (let at = from; at <= to && shown.length < MAX_LINES && chars < MAX_CHARS; at++) {
    const line = (lines[at - 1] ?? '').replace(/\r$/, '')
    const cut = line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS)} [... line cut, ${line.length} characters]` : line
    shown.push(`${String(at).padStart(5)}\t${cut}`)
    chars += cut.length
    last = at
  }
  return { text: shown.join('\n'), last }
}
