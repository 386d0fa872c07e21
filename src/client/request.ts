import { nearest, ReeveError } from '../core/errors.ts'
import type { OperationName, StreamName } from './client.ts'
import { ROUTES, type Route } from './routes.ts'

/** Programs in JavaScript may name what is not there. */
export function routeOf(name: OperationName | StreamName): Route {
  const route: Route | undefined = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined
  if (route !== undefined) return route
  const near = nearest(name, Object.keys(ROUTES))
  throw new ReeveError('invalid_input', {
    problem: `there is no operation "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`,
  })
}

export interface Wanted {
  method: string
  path: string
  body: string | null
  headers: Record<string, string>
}

/** The request for an operation: fields of the path, then the query or the body. */
export function requestFor(route: Route, input: unknown): Wanted {
  const rest = new Map(Object.entries((input ?? {}) as Record<string, unknown>).filter(([, value]) => value !== undefined))
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, field: string) => {
    const value = rest.get(field)
    rest.delete(field)
    if (value === undefined || value === '') throw new ReeveError('invalid_input', { problem: `${field}: is missing` })
    return encodeURIComponent(queryText(value))
  })
  if (route.fields === 'body') {
    return { method: route.method, path, body: JSON.stringify(Object.fromEntries(rest)), headers: { 'content-type': 'application/json' } }
  }
  const query = [...rest].flatMap(([field, value]) =>
    (Array.isArray(value) ? value : [value]).map((it): [string, string] => [field, queryText(it)]),
  )
  const search = new URLSearchParams(query).toString()
  return { method: route.method, path: search === '' ? path : `${path}?${search}`, body: null, headers: {} }
}

function queryText(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}
