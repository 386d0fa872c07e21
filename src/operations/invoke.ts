import type { z } from 'zod'
import { mustMay, refusal } from '../access/permissions.ts'
import { isOwner } from '../core/actor.ts'
import { nearest, ReeveError } from '../core/errors.ts'
import { type Redact, redactAll } from '../core/redact.ts'
import { isAudited, recordDone, recordFailed } from './audited.ts'
import type { Context } from './context.ts'
import { machineTrouble } from './machine-trouble.ts'
import type { Operation, Stream, Verb } from './operation.ts'
import { createStillLive } from './still-live.ts'

/** Runs an operation: reads the input, calls the handler, checks the output. The only way in, for every face. */
export async function invoke<I extends z.ZodObject, O extends z.ZodType>(
  it: Operation<I, O>,
  context: Context,
  input: unknown,
  signal: AbortSignal,
): Promise<z.output<O>> {
  let read: z.output<I> | undefined
  try {
    mustCall(it, context)
    read = readInput(it.name, it.input, input)
    mustAsk(it, context, read)
    const answer = checkOutput(it.name, it.output, await it.handler(context, read, signal))
    if (isAudited(it, false)) await recordDone(it, context, read, 'ok', answer)
    return answer
  } catch (error) {
    const told = redactedError(machineTrouble(error), context.secrets.redact)
    if (isAudited(it, false) || isRefusal(told)) await recordFailed(it, context, read, codeOf(told))
    throw told
  }
}

/** Opens a streaming operation; the input is read before the first event is asked for. */
export function open<I extends z.ZodObject, E extends z.ZodType>(
  it: Stream<I, E>,
  context: Context,
  input: unknown,
  signal: AbortSignal,
): AsyncIterable<z.output<E>> {
  let read: z.output<I> | undefined
  try {
    mustCall(it, context)
    read = readInput(it.name, it.input, input)
    mustAsk(it, context, read)
    return checkedEvents(it, context, read, signal)
  } catch (error) {
    if (isAudited(it, true) || isRefusal(error)) void recordFailed(it, context, read, codeOf(error))
    throw error
  }
}

function isRefusal(error: unknown): boolean {
  return codeOf(error) === 'forbidden'
}

function codeOf(error: unknown): string {
  return error instanceof ReeveError ? error.code : 'internal'
}

/** May the caller call this at all? Nothing has been read before. Throws `forbidden`. */
function mustCall(it: Pick<Verb<z.ZodObject>, 'name' | 'permission' | 'who'>, { caller }: Pick<Context, 'caller'>): void {
  mustMay(caller, it.permission, `call ${it.name}`)
  if (it.who === 'user' && caller.kind !== 'user') throw refusal(caller, `call ${it.name}`, 'the user of this machine')
}

/** Is what was said theirs to ask for? Nothing has happened before. Throws `forbidden`. */
function mustAsk<I extends z.ZodObject>(it: Verb<I>, { caller }: Pick<Context, 'caller'>, input: z.output<I>): void {
  const wanted = it.privileged?.(input) ?? null
  if (wanted !== null && !isOwner(caller)) throw refusal(caller, wanted, 'an admin of all projects')
}

async function* checkedEvents<I extends z.ZodObject, E extends z.ZodType>(
  it: Stream<I, E>,
  context: Context,
  input: z.output<I>,
  signal: AbortSignal,
) {
  try {
    if (isAudited(it, true)) await recordDone(it, context, input, 'begun')
    const mustBeLive = createStillLive(context)
    for await (const event of it.handler(context, input, signal)) {
      await mustBeLive()
      yield checkOutput(it.name, it.events, event)
    }
  } catch (error) {
    const told = redactedError(machineTrouble(error), context.secrets.redact)
    if (isRefusal(told)) await recordFailed(it, context, input, 'forbidden')
    throw told
  }
}

/** Errors repeat what they were given: a server its key, a file its line. The cause stays behind. */
function redactedError(error: unknown, redact: Redact): unknown {
  if (!(error instanceof Error)) return error
  const [message, stack] = [redact(error.message), redact(error.stack ?? '')]
  if (message === error.message && stack === error.stack) return error
  const clean = error instanceof ReeveError ? new ReeveError(error.code, redactAll(error.details, redact)) : new Error(message)
  clean.stack = stack
  return clean
}

function readInput<I extends z.ZodObject>(name: string, schema: I, input: unknown): z.output<I> {
  const known = Object.keys(schema.shape)
  const given = typeof input === 'object' && input !== null ? Object.keys(input) : []
  for (const field of given) {
    if (known.includes(field)) continue
    const near = nearest(field, known)
    const tail = near === undefined ? `it takes: ${known.join(', ') || 'nothing'}` : `did you mean "${near}"?`
    throw new ReeveError('invalid_input', { problem: `${name} takes no "${field}"; ${tail}` })
  }
  const result = schema.safeParse(input ?? {})
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${sentence(issue)}`)
  throw new ReeveError('invalid_input', { problem: `${name}: ${problems.join('; ')}` })
}

function checkOutput<O extends z.ZodType>(name: string, schema: O, answer: unknown): z.output<O> {
  const result = schema.safeParse(answer)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new ReeveError('internal', { problem: `${name} answered wrongly at "${issue?.path.join('.')}": ${issue?.message}` })
}

/** A zod issue as people say it: what was found is left out, since input may be secret. */
export function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `allowed: ${issue.values.map(String).join(', ')}`
  if (issue.code === 'invalid_type')
    return issue.input === undefined && /undefined/.test(issue.message) ? 'is missing' : `must be ${article(issue.expected)}`
  if (issue.code === 'too_small') return `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${unit(issue.origin)}`
  if (issue.code === 'too_big') return `must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}${unit(issue.origin)}`
  if (issue.code === 'unrecognized_keys') return `unknown: ${issue.keys.join(', ')}`
  return issue.message
}

function unit(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' items' : ''
}

function article(type: string): string {
  const words: Record<string, string> = {
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a table',
    record: 'a table',
  }
  return words[type] ?? type
}
