import { PERMISSIONS } from '../access/permissions.ts'
import { ROUTE_ALIASES } from '../operations/aliases.ts'
import type { Operation, Stream } from '../operations/operation.ts'
import type { ApiDocument, ApiOperation, Content, Parameter } from './api-document.ts'
import { ERROR_REFS, errorResponses, problemSchema } from './api-errors.ts'
import { outputSchema, type Shared, sharedSchemas, tidy } from './api-schemas.ts'
import { EXAMPLES } from './examples.ts'
import { inputSchema, type JsonSchema, type Route, routesOf } from './routes.ts'

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
