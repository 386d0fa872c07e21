import { z } from 'zod'
import { problemOf } from '../../core/errors.ts'
import { refused, type Tool, type ToolContext, type ToolOutcome } from './tool.ts'

const DEFAULT_TOKENS = 2000
const MAX_TOKENS = 8000

const input = z.object({
  focus: z.array(z.string()).max(20).default([]).describe('Words, names or paths that matter most'),
  tokens: z.int().min(200).max(MAX_TOKENS).default(DEFAULT_TOKENS).describe('About how long the map may be'),
})

export const repoMapTool: Tool<z.infer<typeof input>> = {
  name: 'repo_map',
  file: 'repo-map',
  input,
  allowed: () => true,
  run: async ({ focus, tokens }, context: ToolContext): Promise<ToolOutcome> => {
    const target = focus.join(', ') || 'everything'
    const leaveOut = (path: string) => context.guard.refusal(path) !== null
    try {
      const map = await context.repoMap(context.checkout, { tokens, focus, query: focus.join(' '), leaveOut })
      if (map.trim() === '') return { ok: true, text: 'repo_map: no symbols were found; use list_files.', target, summary: 'empty' }
      return { ok: true, text: map, target, summary: `${map.split('\n').length} lines` }
    } catch (error) {
      return refused(target, `repo_map: ${problemOf(error)}. Use list_files and search_text instead.`)
    }
  },
}
