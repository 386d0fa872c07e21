import { z } from 'zod'
import type { Json } from '../../core/json.ts'
import type { Tool, ToolOutcome } from './tool.ts'

const json: z.ZodType<Json> = z.json()
const input = z.object({
  summary: z.string().default('').describe('What you did and what is left, in a few sentences'),
  output: json.optional().describe('The answer, where the task asks for one in a given shape'),
})

export const finishTool: Tool<z.infer<typeof input>> = {
  name: 'finish',
  file: 'finish',
  input,
  allowed: () => true,
  run: async ({ summary, output }): Promise<ToolOutcome> => ({
    ok: true,
    text: 'Finished.',
    target: '',
    summary,
    finish: { text: summary, output: output ?? null },
  }),
}
