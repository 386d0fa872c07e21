import type { z } from 'zod'
import type { Permission } from '../access/permissions.ts'
import type { Context } from './context.ts'

export type Effect = 'read' | 'write' | 'destructive'

/** What every verb says of itself. */
export interface Verb<I extends z.ZodObject> {
  /** `nouns.verb`. */
  name: string
  /** Method and path over HTTP; `{field}` is a field of the input, the others go into the query of a GET and DELETE, else into the body. */
  route: `${'GET' | 'POST' | 'PUT' | 'DELETE'} /api/v1/${string}`
  /**
   * `caller`: needs nothing of the daemon's, so the command line does it in its own process, where the caller's files and programs are.
   * Absent: the daemon does it.
   */
  place?: 'caller'
  /** One sentence, as the help of every face shows it. */
  summary: string
  permission: Permission
  /** `user`: only for the person at this machine, whose files and programs it works with; no API key may, whatever its role. */
  who?: 'user'
  effect: Effect
  /** What of an input only an admin may ask for, as the end of "may not …"; null: nothing. */
  privileged?(input: z.output<I>): string | null
  /** Flat: what a person would type as options. Unknown fields are refused. */
  input: I
}

/** A verb that answers once. */
export interface Operation<I extends z.ZodObject = z.ZodObject, O extends z.ZodType = z.ZodType> extends Verb<I> {
  output: O
  handler(context: Context, input: z.output<I>, signal: AbortSignal): Promise<z.input<O>>
}

/** A verb that answers with events until it is done or the caller leaves. */
export interface Stream<I extends z.ZodObject = z.ZodObject, E extends z.ZodType = z.ZodType> extends Verb<I> {
  events: E
  /** What an event is called by those who come back behind it: `id` and `Last-Event-ID` over HTTP. Absent: the stream has no such number. */
  resume?: { id(event: z.output<E>): string; after(id: string): Partial<z.input<I>> }
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
