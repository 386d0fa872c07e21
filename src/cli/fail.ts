import { type ErrorCode, problemOf, ReeveError } from '../core/errors.ts'
import { type Io, remark, sayJson } from './io.ts'
import { safe } from './text.ts'

interface Failure {
  code: ErrorCode
  message: string
  hint: string | undefined
  exit: number
}

/** Says what went wrong in one sentence and what to do next, and gives the exit code. Never throws. */
export function reportFailure(io: Pick<Io, 'json' | 'out' | 'err' | 'paint' | 'env'>, error: unknown): number {
  const failure = failureOf(error)
  if (io.json) {
    const { code, message, hint } = failure
    sayJson(io as Io, { error: { code, message, hint: hint ?? null } })
    return failure.exit
  }
  // A person has called a command, not an operation.
  const said = failure.code === 'invalid_input' ? failure.message.replace(/^[a-z]+\.[a-z]+: /, '') : failure.message
  const [first = '', ...more] = safe(said).split('\n')
  remark(io as Io, `${io.paint('red', 'reeve:')} ${first}`)
  for (const line of more) remark(io as Io, `       ${line}`)
  for (const line of failure.hint === undefined ? [] : safe(failure.hint).split('\n')) remark(io as Io, `       ${line}`)
  if (failure.code === 'internal' && io.env['REEVE_DEBUG'] && error instanceof Error) remark(io as Io, safe(error.stack ?? ''))
  return failure.exit
}

function failureOf(error: unknown): Failure {
  if (error instanceof ReeveError) return error
  return new ReeveError('internal', { problem: problemOf(error) })
}
