import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Json } from '../../core/json.ts'
import type { Permissions } from '../../core/role.ts'
import type { ToolSpec } from '../../models/port.ts'
import { applyPatchTool } from './apply-patch.ts'
import { deleteFileTool } from './delete-file.ts'
import { editFileTool } from './edit-file.ts'
import { finishTool } from './finish.ts'
import { listFilesTool } from './list-files.ts'
import { readFileTool } from './read-file.ts'
import { repoMapTool } from './repo-map.ts'
import { runCommandTool } from './run-command.ts'
import { searchTextTool } from './search-text.ts'
import type { Tool } from './tool.ts'
import { writeFileTool } from './write-file.ts'

/** Everything our own loop can offer to a model. */
export const TOOLS: readonly Tool[] = [
  readFileTool,
  listFilesTool,
  searchTextTool,
  repoMapTool,
  editFileTool,
  applyPatchTool,
  writeFileTool,
  deleteFileTool,
  runCommandTool,
  finishTool,
]

/** The tools a role is offered, as the model is told of them. With `outputSchema`, the output of `finish` has that shape. */
export async function specsFor(
  tools: readonly Tool[],
  permissions: Permissions,
  outputSchema: { [key: string]: Json } | undefined,
  folder: string = import.meta.dirname,
): Promise<ToolSpec[]> {
  const offered = tools.filter((it) => it.allowed(permissions))
  return Promise.all(
    offered.map(async (it) => ({
      name: it.name,
      description: (await readFile(join(folder, `${it.file}.md`), 'utf8')).trim(),
      input: it.name === 'finish' ? finishSchema(outputSchema, permissions) : schemaOf(it.input),
    })),
  )
}

function schemaOf(type: z.ZodType): { [key: string]: Json } {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as { [key: string]: Json }
  return schema
}

function finishSchema(output: { [key: string]: Json } | undefined, { write }: Permissions): { [key: string]: Json } {
  // Who may not write has nothing to give but words.
  const what = write === 'none' && output === undefined ? 'Your whole answer' : 'What you did and what is left, in a few sentences'
  const summary = { type: 'string', description: what }
  if (output === undefined) return { type: 'object', properties: { summary }, required: ['summary'] }
  return { type: 'object', properties: { summary, output }, required: ['summary', 'output'] }
}
