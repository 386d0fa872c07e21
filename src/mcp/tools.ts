import type { CallToolResult, McpServer } from '@modelcontextprotocol/server'
import { failure } from './answer.ts'
import { controlTool } from './control.ts'
import { createTool, runTool } from './create.ts'
import { workspaceTool } from './files.ts'
import { listTool } from './list.ts'
import { logsTool } from './logs.ts'
import { statusTool } from './status.ts'
import type { Call, Tool } from './tool.ts'

/** In the order in which hosts see them, which never changes: their caches of prompts depend on it. */
export const TOOLS: readonly Tool[] = [createTool, listTool, statusTool, controlTool, workspaceTool, logsTool, runTool]

export function addTools(server: McpServer, tools: readonly Tool[], callOf: (ctx: Call['ctx']) => Call): void {
  for (const tool of tools) {
    const { title, description, annotations } = tool
    server.registerTool(
      tool.name,
      { title, description, annotations, inputSchema: shown(tool.inputSchema), outputSchema: checked(tool) },
      async (input, ctx) => {
        try {
          return await tool.run(callOf(ctx), input)
        } catch (error) {
          return failure(error) satisfies CallToolResult
        }
      },
    )
  }
}

/** Arguments are read by the tool, so that what is wrong with them is told as every other error. */
function shown(schema: Record<string, unknown>) {
  const jsonSchema = { input: () => schema, output: () => schema }
  return { '~standard': { version: 1 as const, vendor: 'reeve', validate: (value: unknown) => ({ value }), jsonSchema } }
}

function checked({ output, outputSchema }: Tool) {
  const { validate } = output['~standard']
  const jsonSchema = { input: () => outputSchema, output: () => outputSchema }
  return { '~standard': { version: 1 as const, vendor: 'reeve', validate, jsonSchema } }
}
