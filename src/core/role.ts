import { z } from 'zod'

/**
 * What a role may do; enforced in the tools, not in prompts. `write`: `none`; `tests`: only files that are tests; `production`: everything
 * but tests that another role owns; `all`.
 */
export const permissionsSchema = z.object({
  write: z.enum(['none', 'tests', 'production', 'all']).default('production'),
  /** May start programs in the workspace. */
  run_commands: z.boolean().default(false),
  /** Globs that are refused for writing whatever else is allowed. */
  deny: z.array(z.string()).default([]),
  /** Globs of files that are neither read, listed, searched nor written, besides the ones of `[files] forbidden`. */
  forbidden: z.array(z.string()).default([]),
})
export type Permissions = z.infer<typeof permissionsSchema>

export const roleSchema = z.object({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'lower case letters, digits and "-"'),
  description: z.string().default(''),
  branch_prefix: z.string().optional(),
  reviewers: z.array(z.string()).default([]),
  /** Instructions, Markdown. Given as the system prompt. */
  prompt: z.string().min(1),
  permissions: permissionsSchema.default({ write: 'production', run_commands: false, deny: [], forbidden: [] }),
  /** Preferred providers, tried before the configured order. */
  providers: z.array(z.string()).default([]),
  max_steps: z.int().positive().default(60),
})
export type Role = z.infer<typeof roleSchema>
