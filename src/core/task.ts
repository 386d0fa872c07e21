import { z } from 'zod'
import { TIME_FORM, timeOf } from './not-before.ts'

/** What kind of change is wanted; it decides which proof is asked for. */
export const TASK_KINDS = ['feature', 'bugfix', 'refactor', 'docs', 'chore', 'test'] as const
export type TaskKind = (typeof TASK_KINDS)[number]

/** Kinds whose new or changed tests must fail on the base and pass with the change. */
export function needsRedProof(kind: TaskKind): boolean {
  return kind === 'feature' || kind === 'bugfix'
}

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export const budgetSchema = z.object({
  /** US dollars. */ usd: z.number().positive().optional(),
  tokens: z.int().positive().optional(),
  minutes: z.number().positive().optional(),
})

/** A task as it is written in a file or sent by a program. Unknown fields are kept in `context` and given to the role. */
export const taskSchema = z.object({
  id: z
    .string()
    .regex(ID, 'only letters, digits, ".", "_" and "-", at most 64, beginning with a letter or digit')
    .refine((it) => !it.includes('..') && !it.endsWith('.lock') && !it.endsWith('.'), 'no "..", no final "." or ".lock"'),
  title: z.string().min(1).max(200),
  description: z.string().min(1).max(100_000),
  role: z.string().min(1).default('implementer'),
  kind: z.enum(TASK_KINDS).default('feature'),
  /** A folder of the repository, for monorepos. */
  target_dir: z.string().optional(),
  acceptance: z
    .object({
      /** true or absent: the project's own; false: not asked for; a string: this command. */
      lint: z.union([z.boolean(), z.string()]).optional(),
      typecheck: z.union([z.boolean(), z.string()]).optional(),
      /** Commands that must succeed. */
      tests: z.array(z.string().min(1)).optional(),
    })
    .default({}),
  workflow: z.string().optional(),
  depends_on: z.array(z.string()).default([]),
  priority: z.int().min(-1000).max(1000).default(0),
  /** It does not start before. */
  at: z
    .string()
    .refine((it) => timeOf(it) !== null, `is not allowed; ${TIME_FORM}`)
    .optional(),
  provider: z.string().optional(),
  budget: budgetSchema.optional(),
  context: z.record(z.string(), z.unknown()).default({}),
})
export type Task = z.infer<typeof taskSchema>
