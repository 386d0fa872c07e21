import { z } from 'zod'
import { problemOf } from '../../core/errors.ts'
import { fitsGlob } from './glob.ts'
import { refused, type Tool, type ToolContext, type ToolOutcome } from './tool.ts'
import { walk } from './walk.ts'

const MAX_SHOWN = 400

const input = z.object({
  path: z.string().default('.').describe('Folder, from the root of the repository; "." for all of it'),
  glob: z.string().optional().describe('Only these, such as **/*.ts'),
})

export const listFilesTool: Tool<z.infer<typeof input>> = {
  name: 'list_files',
  file: 'list-files',
  input,
  allowed: () => true,
  run: async ({ path, glob }, context: ToolContext): Promise<ToolOutcome> => {
    try {
      const { files, complete } = await walk(path, context)
      const wanted = glob === undefined ? files : files.filter((it) => fitsGlob(it, glob))
      const summary = `${wanted.length}${complete ? '' : ' or more'} files`
      if (wanted.length === 0) {
        const what =
          glob === undefined ? `"${path}" holds no files.` : `no file below "${path}" fits "${glob}" (${files.length} files are there).`
        return { ok: true, text: `list_files: ${what}`, target: path, summary }
      }
      const text = wanted.length > MAX_SHOWN ? byFolder(wanted) : wanted.join('\n')
      return { ok: true, text: complete ? text : `${text}\n(there are more; give a folder)`, target: path, summary }
    } catch (error) {
      return refused(path, `list_files: ${problemOf(error)}`)
    }
  },
}

/** Too many to name: each folder with the number of its files. */
function byFolder(files: readonly string[]): string {
  const folders = new Map<string, number>()
  for (const file of files) {
    const folder = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '.'
    folders.set(folder, (folders.get(folder) ?? 0) + 1)
  }
  const lines = [...folders].slice(0, MAX_SHOWN).map(([folder, count]) => `${folder}/ (${count} files)`)
  if (folders.size > MAX_SHOWN) lines.push(`(${folders.size - MAX_SHOWN} more folders)`)
  return `${files.length} files; their folders, give one of them as "path" to see its files:\n${lines.join('\n')}`
}
