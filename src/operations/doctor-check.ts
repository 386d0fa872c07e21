import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'

export const checkSchema = z.object({
  /** `machine`, `project`, `provider`, `gate`. */
  about: z.string(),
  name: z.string(),
  /** `missing` stops runs; `warning` does not. */
  status: z.enum(['ok', 'warning', 'missing']),
  detail: z.string(),
  hint: z.string().nullable(),
})
/** One thing that `reeve doctor` looks at. */
export type Check = z.infer<typeof checkSchema>

export function check(about: string, name: string, status: Check['status'], detail: string, hint: string | null = null): Check {
  return { about, name, status, detail, hint }
}

/** A caller's error as a value: a doctor says it and goes on. */
export async function attempt<T>(fn: () => Promise<T>): Promise<T | ReeveError> {
  try {
    return await fn()
  } catch (error) {
    if (error instanceof ReeveError) return error
    throw error
  }
}
