import { z } from 'zod'
import type { OperationName, StreamName } from '../client/client.ts'
import type { Operation, Stream, Verb } from '../operations/operation.ts'
import { OPERATIONS, STREAMS } from '../operations/table.ts'

export type JsonSchema = z.core.JSONSchema.JSONSchema

export const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const
export type Method = (typeof METHODS)[number]

/** An operation as HTTP has it. */
interface Way {
  method: Method
  path: string
  params: readonly string[]
  fields: 'query' | 'body'
  verb: Verb<z.ZodObject>
  /** Its input: what texts of a query are to become. */
  schema: JsonSchema
}
export type CallRoute = Way & { name: OperationName; streams: false }
export type StreamRoute = Way & { name: StreamName; streams: true }
export type Route = CallRoute | StreamRoute

/** All operations and streams, in the order of the table. */
export function routesOf(): Route[] {
  const once = Object.values(OPERATIONS).map((it) => routeOf(it as unknown as Operation, false))
  const events = Object.values(STREAMS).map((it) => routeOf(it as unknown as Stream, true))
  return [...once, ...events]
}

function routeOf(verb: Verb<z.ZodObject>, streams: boolean): Route {
  const [method, path] = verb.route.split(' ') as [Method, string]
  const params = [...path.matchAll(/\{(\w+)\}/g)].map((it) => it[1] ?? '')
  const fields = method === 'GET' || method === 'DELETE' ? 'query' : 'body'
  return { method, path, params, fields, verb, schema: inputSchema(verb), name: verb.name, streams } as Route
}

/** The input of a verb as a JSON schema: what its faces need to know of its fields. */
export function inputSchema(verb: { input: z.ZodObject }): JsonSchema {
  return z.toJSONSchema(verb.input, { io: 'input', unrepresentable: 'any' })
}
