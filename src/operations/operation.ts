import type { z } from 'zod'
import type { Context } from './context.ts'

export type Permission =
  | 'runs:read'
  | 'runs:write'
  | 'projects:read'
  | 'projects:write'
  | 'config:read'
  | 'roles:read'
  | 'models:read'
  | 'models:write'
  | 'system:read'
export type Effect = 'read' | 'write' | 'destructive'

interface Described<I extends z.ZodObject> {
  /** `nouns.verb`. */
  name: string
  /** One sentence, as the help of every face shows it. */
  summary: string
  permission: Permission
  effect: Effect
  /** Flat: what a person would type as options. Unknown fields are refused. */
  input: I
}

/** A verb that answers once. */
export interface Operation<I extends z.ZodObject = z.ZodObject, O extends z.ZodType = z.ZodType> extends Described<I> {
  output: O
  handler(context: Context, input: z.output<I>, signal: AbortSignal): Promise<z.input<O>>
}

/** A verb that answers with events until it is done or the caller leaves. */
export interface Stream<I extends z.ZodObject = z.ZodObject, E extends z.ZodType = z.ZodType> extends Described<I> {
  events: E
  handler(context: Context, input: z.output<I>, signal: AbortSignal): AsyncIterable<z.input<E>>
}

/** Declares an operation; the types of its handler follow from the schemas. */
export function operation<I extends z.ZodObject, O extends z.ZodType>(it: Operation<I, O>): Operation<I, O> {
  return it
}

/** Declares an operation that streams. */
export function stream<I extends z.ZodObject, E extends z.ZodType>(it: Stream<I, E>): Stream<I, E> {
  return it
}
