import { z } from 'zod'
import { PERMISSIONS } from '../access/permissions.ts'
import { ERRORS, type ErrorEntry } from '../core/errors.ts'
import { canonicalJson } from '../core/json.ts'
import { taskSchema } from '../core/task.ts'
import { verdictSchema } from '../core/verdict.ts'
import { ROUTE_ALIASES } from '../operations/aliases.ts'
import type { Operation, Stream } from '../operations/operation.ts'
import { runEventSchema, runSummarySchema, runViewSchema } from '../operations/shapes.ts'
import { EXAMPLES } from './examples.ts'
import { inputSchema, type JsonSchema, type Route, routesOf } from './routes.ts'

export interface ApiOperation {
  operationId: string
  summary: string
  description: string
  tags: string[]
  security?: []
  parameters?: Parameter[]
  requestBody?: { required: boolean; content: Content }
  responses: Record<string, { $ref: string } | { description: string; content?: Content }>
}
export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  description?: string
  schema?: JsonSchema
  content?: Content
}
type Content = Record<string, { schema: JsonSchema; example?: unknown }>
export interface ApiDocument {
  openapi: string
  info: { title: string; version: string; summary: string; description: string; license: { name: string; identifier: string } }
  servers: { url: string }[]
  security: Record<string, []>[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, ApiOperation>>
  components: {
    securitySchemes: object
    schemas: Record<string, JsonSchema>
    responses: Record<string, { description: string; content: Content }>
  }
}

/** Shapes that occur in several answers, by the name that readers know them under. */
const NAMED = { Run: runViewSchema, RunSummary: runSummarySchema, RunEvent: runEventSchema, Task: taskSchema, Verdict: verdictSchema }

const OLDER = 'older names'
const TAGS: Readonly<Record<string, string>> = {
  runs: 'One execution of a workflow for a task: submit, watch, steer, land.',
  workspace: 'The files of a run as they are now.',
  queue: 'Which queued runs start, and when.',
  costs: 'What runs have cost.',
  evidence: 'Proof of what a run did.',
  project: 'A repository that reeve works on.',
  doctor: 'What this machine can do, and what it lacks.',
  scanner: 'What a repository is made of.',
  providers: 'Who answers: APIs, command line agents, local engines.',
  roles: 'Prompts and permissions of agents.',
  models: 'Local models.',
  config: 'The settings in force.',
  errors: 'The errors explained.',
  keys: 'API keys for programs.',
  audit: 'Who asked for what, and what came of it.',
  webhooks: 'Who is told of events.',
  events: 'Facts, as they happen.',
  gates: 'Checks that decide.',
  state: 'What the daemon keeps: its backup.',
  demo: 'A whole run to look at, without a model.',
  server: 'The daemon itself.',
  [OLDER]: 'Routes of older systems, kept over the operations above. New programs take those.',
}

const DESCRIPTION = `Every operation of reeve as a route. Callers send \`Authorization: Bearer <token>\`: an API key, or the daemon's own token.
Fields of the path are in the address; the others are in the query of a GET and DELETE, else in a body of JSON or YAML. Unknown fields are refused; paths are absolute.
Events are server-sent events, or lines of JSON with \`Accept: application/x-ndjson\`. Errors are \`application/problem+json\` with a \`code\` that stays.`

/** The OpenAPI 3.1 document of all routes, in the order of the table. */
export function openapiDocument(version: string): ApiDocument {
  const shared = sharedSchemas()
  const paths: ApiDocument['paths'] = {}
  const put = (method: string, path: string, it: ApiOperation) => {
    paths[path] = { ...paths[path], [method.toLowerCase()]: it }
  }
  for (const route of routesOf()) put(route.method, route.path, operationOf(route, shared))
  for (const [path, it] of Object.entries(serverRoutes())) put('GET', path, it)
  for (const alias of ROUTE_ALIASES) {
    const [method = '', path = ''] = alias.route.split(' ')
    put(method, path, aliasOf(alias, method, path, shared))
  }
  const used = [...new Set(Object.values(paths).flatMap((it) => Object.values(it).flatMap((one) => one.tags)))]
  return {
    openapi: '3.1.1',
    info: {
      title: 'reeve',
      version,
      summary: 'An orchestrator of coding agents: agents propose, tools decide.',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    tags: used.map((name) => ({ name, description: TAGS[name] ?? '' })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key (reeve keys add) or the token of the daemon.' },
      },
      schemas: { ...shared.schemas, Problem: problemSchema() },
      responses: errorResponses(),
    },
  }
}

interface Shared {
  schemas: Record<string, JsonSchema>
  /** A schema with the shapes that have a name replaced by it. */
  named(schema: JsonSchema): JsonSchema
}

function sharedSchemas(): Shared {
  const whole = Object.entries(NAMED).map(([name, it]): [string, JsonSchema] => [name, outputSchema(it)])
  const names = new Map(whole.map(([name, it]) => [canonicalJson(it), name]))
  const replace = (value: unknown, top: boolean): unknown => {
    if (value === null || typeof value !== 'object') return value
    if (Array.isArray(value)) return value.map((it) => replace(it, false))
    const name = top ? undefined : names.get(canonicalJson(value))
    if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
    return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, replace(it, false)]))
  }
  return {
    schemas: Object.fromEntries(whole.map(([name, it]) => [name, replace(it, true) as JsonSchema])),
    named: (schema) => replace(schema, false) as JsonSchema,
  }
}

function outputSchema(schema: z.ZodType): JsonSchema {
  return tidy(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })) as JsonSchema
}

/** Without what says nothing: the bounds of all whole numbers, the dialect, and the definition of "any JSON" in terms of itself. */
function tidy(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(tidy)
  const { $schema: _dialect, $defs: _defs, ...rest } = value as Record<string, unknown>
  if (typeof rest['$ref'] === 'string' && rest['$ref'].startsWith('#/$defs/')) return {}
  if (rest['minimum'] === Number.MIN_SAFE_INTEGER) delete rest['minimum']
  if (rest['maximum'] === Number.MAX_SAFE_INTEGER) delete rest['maximum']
  return Object.fromEntries(Object.entries(rest).map(([key, it]) => [key, tidy(it)]))
}

function operationOf(route: Route, shared: Shared): ApiOperation {
  const { verb, name } = route
  const schema = tidy(route.schema) as JsonSchema
  const headers = [
    ...(route.method !== 'GET' && !route.streams && verb.permission !== 'keys:admin' ? [IDEMPOTENCY_KEY] : []),
    ...(route.streams && (verb as unknown as Stream).resume !== undefined ? [LAST_EVENT_ID] : []),
  ]
  const parameters = [...parametersOf(schema, route.params, route.fields), ...headers]
  return {
    operationId: name,
    summary: verb.summary,
    description: needOf(verb),
    tags: [name.split('.')[0] ?? name],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.fields === 'body' ? bodyOf(schema, route.params, EXAMPLES[name]) : {}),
    responses: {
      200: route.streams
        ? eventsAnswer(shared.named(outputSchema((verb as unknown as Stream).events)))
        : jsonAnswer(shared.named(outputSchema((verb as unknown as Operation).output))),
      ...ERROR_REFS,
    },
  }
}

function needOf({ permission, who }: Route['verb']): string {
  if (who === 'user') return 'Only for the person at this machine, with the token of the daemon: no API key may.'
  return `Needs the role ${PERMISSIONS[permission]} (\`${permission}\`).`
}

const IDEMPOTENCY_KEY: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key and request again within a day gives the same answer, and nothing is done twice.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
}
const LAST_EVENT_ID: Parameter = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'The `id` of the last event that came: only those behind it follow.',
  schema: { type: 'string' },
}

function parametersOf(schema: JsonSchema, params: readonly string[], fields: 'query' | 'body'): Parameter[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, it]): Parameter[] => {
    const place = params.includes(name) ? 'path' : 'query'
    if (typeof it !== 'object' || (place === 'query' && fields === 'body')) return []
    const { description, ...type } = it
    const about = description === undefined ? {} : { description }
    const required = place === 'path' || (schema.required ?? []).includes(name)
    const shape = type.type === 'object' ? { content: { 'application/json': { schema: type } } } : { schema: type }
    return [{ name, in: place, required, ...about, ...shape }]
  })
}

function bodyOf(schema: JsonSchema, params: readonly string[], example: unknown): Pick<ApiOperation, 'requestBody'> {
  const properties = Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([name]) => !params.includes(name)))
  const required = (schema.required ?? []).filter((it) => !params.includes(it))
  const { required: _, ...rest } = schema
  const body = {
    ...rest,
    properties,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: schema.additionalProperties ?? false,
  }
  const media = { schema: body, ...(example === undefined ? {} : { example }) }
  return { requestBody: { required: required.length > 0, content: { 'application/json': media, 'application/yaml': { schema: body } } } }
}

function jsonAnswer(schema: JsonSchema): ApiOperation['responses'][string] {
  return { description: 'The answer.', content: { 'application/json': { schema } } }
}

function eventsAnswer(schema: JsonSchema): ApiOperation['responses'][string] {
  const description =
    'Events as they come. `event: end` is the last one of a stream that is whole; `event: error` ends it with a problem. ' +
    'As lines of JSON: each an event, then `{"end":true}` or `{"error":…}`.'
  const example = 'id: 1\ndata: {"run":"…","seq":1,"type":"run.queued","data":{}}\n\nevent: end\ndata: {}\n\n'
  return {
    description,
    content: { 'text/event-stream': { schema: { type: 'string' }, example }, 'application/x-ndjson': { schema } },
  }
}

function aliasOf(alias: (typeof ROUTE_ALIASES)[number], method: string, path: string, shared: Shared): ApiOperation {
  const params = [...path.matchAll(/\{(\w+)\}/g)].map((it) => it[1] ?? '')
  const schema = tidy(inputSchema(alias)) as JsonSchema
  const fields = method === 'GET' ? 'query' : 'body'
  const parameters = [...parametersOf(schema, params, fields), ...(method === 'GET' ? [] : [IDEMPOTENCY_KEY])]
  const operationId = `${method.toLowerCase()}.${path.replaceAll(/[{}]/g, '').split('/').filter(Boolean).join('.')}`
  return {
    operationId,
    summary: alias.summary,
    description: `Instead: \`${alias.instead}\`.`,
    tags: [OLDER],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(fields === 'body' ? bodyOf({ additionalProperties: true, ...schema }, params, EXAMPLES[operationId]) : {}),
    responses: { [alias.status]: jsonAnswer(shared.named({})), ...ERROR_REFS },
  }
}

function serverRoutes(): Record<string, ApiOperation> {
  const text = (type: string): Content => ({ [type]: { schema: type === 'application/json' ? {} : { type: 'string' } } })
  const open = (operationId: string, summary: string, type: string): ApiOperation => ({
    operationId,
    summary,
    description: 'Needs no token.',
    tags: ['server'],
    security: [],
    responses: { 200: { description: 'The answer.', content: text(type) }, 503: { description: 'Not now.', content: text(type) } },
  })
  return {
    '/health': open('server.health', 'Does it live?', 'application/json'),
    '/ready': open('server.ready', 'Does it take work?', 'application/json'),
    '/api': open('server.page', 'This document, to read.', 'text/html'),
    '/api/v1/openapi.json': open('server.openapi', 'This document.', 'application/json'),
    '/metrics': {
      operationId: 'server.metrics',
      summary: 'Figures for Prometheus.',
      description: 'Needs the role viewer.',
      tags: ['server'],
      responses: { 200: { description: 'The answer.', content: text('text/plain') }, ...ERROR_REFS },
    },
  }
}

const MEANINGS: Readonly<Record<number, string>> = {
  400: 'The request is wrong, or what it asks for cannot be done so.',
  401: 'The caller is not known.',
  403: 'The caller may not.',
  404: 'There is no such thing.',
  405: 'The route does not take this method.',
  409: 'It does not go together with what is there.',
  413: 'The body is too large.',
  415: 'The body is of a kind that is not taken.',
  421: 'The request is not for this server.',
  429: 'Too many requests.',
  500: 'It failed here.',
  503: 'Not now.',
}

/** Codes by the status that they come with. */
function codesByStatus(): Map<number, string[]> {
  const codes = new Map<number, string[]>()
  for (const [code, { status }] of Object.entries<ErrorEntry>(ERRORS).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    codes.set(status, [...(codes.get(status) ?? []), code])
  }
  return new Map([...codes].filter(([status]) => status >= 400).toSorted(([a], [b]) => a - b))
}

const ERROR_REFS: ApiOperation['responses'] = Object.fromEntries(
  [...codesByStatus().keys()].filter((it) => it !== 405).map((it) => [it, { $ref: `#/components/responses/Error${it}` }]),
)

function errorResponses(): ApiDocument['components']['responses'] {
  return Object.fromEntries(
    [...codesByStatus()].map(([status, codes]) => {
      const schema = {
        allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { status: { const: status }, code: { enum: codes } } }],
      }
      return [`Error${status}`, { description: MEANINGS[status] ?? 'It failed.', content: { 'application/problem+json': { schema } } }]
    }),
  )
}

function problemSchema(): JsonSchema {
  return {
    type: 'object',
    description: 'An error, after RFC 9457. `code` is what programs go by; each is explained by `reeve explain <code>`.',
    properties: {
      type: { type: 'string', format: 'uri' },
      title: { type: 'string' },
      status: { type: 'integer' },
      code: { type: 'string', enum: Object.keys(ERRORS).toSorted() },
      detail: { type: 'string', description: 'What is wrong, and what is allowed.' },
      hint: { type: ['string', 'null'] as unknown as 'string', description: 'What to do.' },
      details: { type: 'object', additionalProperties: { type: ['string', 'number'] as unknown as 'string' } },
    },
    required: ['type', 'title', 'status', 'code', 'detail', 'hint', 'details'],
    additionalProperties: false,
  }
}
