import { z } from 'zod'
import { ERRORS, type ErrorCode, type ErrorEntry, nearest, ReeveError } from '../core/errors.ts'
import { operation } from './operation.ts'

export const errorsExplain = operation({
  name: 'errors.explain',
  route: 'GET /api/v1/errors/{code}',
  place: 'caller',
  summary: 'Explains an error code.',
  permission: 'help:read',
  effect: 'read',
  input: z.object({ code: z.string() }),
  output: z.object({ code: z.string(), message: z.string(), hint: z.string().nullable(), exit: z.int(), status: z.int() }),
  // oxlint-disable-next-line require-await
  async handler(_context, input) {
    const entry = isErrorCode(input.code) ? (ERRORS[input.code] as ErrorEntry) : undefined
    if (entry) return { code: input.code, message: entry.message, hint: entry.hint ?? null, exit: entry.exit, status: entry.status }
    const near = nearest(input.code, Object.keys(ERRORS))
    const tail = near === undefined ? '' : ` Did you mean "${near}"?`
    throw new ReeveError('invalid_input', { problem: `No error code "${input.code}".${tail}` })
  },
})

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text)
}
