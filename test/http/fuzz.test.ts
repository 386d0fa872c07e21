import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import type { ApiOperation } from '../../src/http/api-document.ts'
import { openapiDocument } from '../../src/http/openapi.ts'
import type { JsonSchema } from '../../src/http/routes.ts'
import { TOY_FILES } from '../support/app.ts'
import { testHttp } from '../support/http.ts'
import { makeRepository } from '../support/repository.ts'

/** Every odd value for every field, on a run and a project that are there: REEVE_FUZZ=all npx vitest run test/http */
const ALL = process.env['REEVE_FUZZ'] === 'all'
/** Nothing that is refused takes as long as this. */
const HANGS_MS = 10_000
/** What a right request would do for a minute, or to the machine; they get wrong ones only. */
const NEVER_RIGHT = new Set(['demo.run', 'doctor.check', 'doctor.report'])

const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  1e308,
  Number.MAX_SAFE_INTEGER + 1,
  '',
  'x',
  'ünïcödé 🦊 ‮',
  'a\u0000b',
  'a\nb',
  '__proto__',
  '../../../etc/passwd',
  '-o --upload-pack=x',
  "' or 1=1 --",
  'x'.repeat(20_000),
  [],
  [null],
  ['x', 'x'],
  {},
  { x: { y: {} } },
]

interface Field {
  name: string
  in: 'path' | 'query' | 'body'
  required: boolean
  schema: JsonSchema
}
interface Sent {
  route: string
  body?: unknown
  headers?: Record<string, string>
  /** `400`: must be refused so; `any`: whatever is no failure of ours. */
  expected: number | 'any'
}

function fieldsOf(it: ApiOperation): Field[] {
  const body = it.requestBody?.content['application/json']?.schema
  const inBody = Object.entries(body?.properties ?? {}).map(
    ([name, schema]): Field => ({
      name,
      in: 'body',
      required: (body?.required ?? []).includes(name),
      schema: schema as JsonSchema,
    }),
  )
  const others = (it.parameters ?? []).flatMap(({ name, in: place, required, schema = {} }): Field[] =>
    place === 'header' ? [] : [{ name, in: place, required, schema }],
  )
  return [...others, ...inBody]
}

/** What right requests are about: something that is there, or nothing. */
interface World {
  project: string
  run: string
}

/** A value that the schema takes. */
function right({ name, schema }: Pick<Field, 'name' | 'schema'>, world: World): unknown {
  if (name === 'project' || name === 'projectId') return world.project
  if (name === 'run' || name === 'id') return world.run
  if (name === 'runs') return [world.run]
  if (['path', 'file', 'to', 'from', 'folder'].includes(name)) return join(world.project, 'nothing')
  if (schema.default !== undefined) return schema.default
  if (schema.enum !== undefined) return schema.enum[0]
  if (schema.anyOf !== undefined) return right({ name, schema: schema.anyOf[0] as JsonSchema }, world)
  if (schema.type === 'array') return [right({ name: '', schema: (schema.items ?? {}) as JsonSchema }, world)]
  if (schema.type === 'integer' || schema.type === 'number') return Math.max(1, schema.minimum ?? 1)
  if (schema.type === 'boolean') return false
  if (schema.type !== 'object') return 'nothing'
  return Object.fromEntries(
    (schema.required ?? []).map((it) => [it, right({ name: it, schema: schema.properties?.[it] as JsonSchema }, world)]),
  )
}

function request(
  method: string,
  path: string,
  fields: readonly Field[],
  values: ReadonlyMap<string, unknown>,
): Pick<Sent, 'route' | 'body'> {
  const of = (place: Field['in']) =>
    fields.filter((it) => it.in === place && values.has(it.name)).map((it) => [it.name, values.get(it.name)] as const)
  const filled = of('path').reduce((text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(textOf(value))), path)
  const query = new URLSearchParams(
    of('query').flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((it): [string, string] => [name, textOf(it)])),
  )
  const route = `${method} ${filled}${query.size === 0 ? '' : `?${query.toString()}`}`
  return method === 'GET' || method === 'DELETE' ? { route } : { route, body: Object.fromEntries(of('body')) }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What is sent to one route: wrong requests about what is `there`, and those that may be right about `world`. */
function* requests(method: string, path: string, it: ApiOperation, there: World, world: World): Generator<Sent> {
  const fields = fieldsOf(it)
  const baseOf = (world: World) =>
    new Map(fields.filter((one) => one.required || one.name.startsWith('project')).map((one) => [one.name, right(one, world)]))
  const [base, perhaps] = [baseOf(there), baseOf(world)]
  const sent = (values: ReadonlyMap<string, unknown>, expected: Sent['expected']): Sent => ({
    ...request(method, path, fields, values),
    expected,
  })
  const loose = it.tags.includes('older names')

  yield { ...sent(base, 405), route: sent(base, 405).route.replace(method, 'PATCH') }
  if (!NEVER_RIGHT.has(it.operationId)) yield sent(perhaps, 'any')
  if (it.requestBody !== undefined) {
    const { route } = sent(base, 415)
    yield { route, body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' }, expected: 415 }
    for (const body of ['{"a":', '[]', '"x"', 'null', '{"a":1,"a":2}', '{"__proto__":{}}']) yield { route, body, expected: 400 }
    yield { route, body: 'a: &a [*a]', headers: { 'content-type': 'application/yaml' }, expected: 400 }
    if (!loose) yield { route, body: { ...(sent(base, 400).body as object), no_such_field: 1 }, expected: 400 }
    for (const one of fields.filter((field) => field.in === 'body' && field.required)) {
      yield sent(new Map([...base].filter(([name]) => name !== one.name)), 400)
    }
  } else if (!it.tags.includes('server') && !loose) {
    const { route } = sent(base, 400)
    yield { route: `${route}${route.includes('?') ? '&' : '?'}no_such_field=1`, expected: 400 }
  }
  for (const [at, field] of fields.entries()) {
    // Else a third of them, each field another.
    for (const value of ODD.filter((_, nth) => ALL || (nth + at) % 3 === 0)) {
      // An empty part of a path is another route.
      if (field.in === 'path' && (value === '' || textOf(value).length > 5000)) continue
      if (NEVER_RIGHT.has(it.operationId) && (field.in === 'query' || takes(field.schema, value))) continue
      yield sent(new Map([...perhaps, [field.name, value]]), 'any')
    }
  }
}

/** Might this be a right value? Rather yes than no. */
function takes(schema: JsonSchema, value: unknown): boolean {
  const type = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
  return schema.type === undefined || schema.type === type || (type === 'number' && schema.type === 'integer')
}

/** What a store holds, the audit record aside: there refusals are meant to be. Looks only when somebody has written. */
function contentOf(store: DatabaseSync): () => string {
  const names = store.prepare("select name from sqlite_master where type = 'table' and name not like 'audit%'").all()
  let [version, content]: [unknown, string] = [null, '']
  return () => {
    const now = store.prepare('pragma data_version').get()?.['data_version']
    if (now === version) return content
    version = now
    content = names.map(({ name }) => JSON.stringify(store.prepare(`select * from "${String(name)}"`).all())).join('\n')
    return content
  }
}

it('answers every route of the document, whatever is sent, without failing, hanging or doing what it refuses', async () => {
  const { ask, home, log } = testHttp()
  const project = makeRepository(TOY_FILES)
  const submitted = await ask('POST /api/v1/runs', { project, sentence: 'Do it', workflow: 'fine' })
  const { runs } = (await submitted.json()) as { runs: { id: string }[] }
  const there = { project, run: runs[0]?.id ?? '' }
  const world = ALL ? there : { project: join(home, 'nothing'), run: 'nothing' }
  const watch = new DatabaseSync(join(home, 'reeve/state/store.db'), { readOnly: true })
  const stored = contentOf(watch)
  const wrong: string[] = []

  for (const [path, methods] of Object.entries(openapiDocument('1').paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      for (const { route, body, headers, expected } of requests(method.toUpperCase(), path, operation, there, world)) {
        const before = stored()
        const answer = await Promise.race([
          ask(route, body, headers === undefined ? {} : { headers }),
          new Promise<null>((resolve) => setTimeout(resolve, HANGS_MS, null).unref()),
        ])
        const told = `${route.slice(0, 150)} ${JSON.stringify(body)?.slice(0, 150) ?? ''} -> ${answer?.status ?? 'nothing'}`
        if (answer === null) wrong.push(`hangs: ${told}`)
        else if (answer.status >= 500 && answer.status !== 503) wrong.push(`fails: ${told} ${await answer.text()}`)
        else if (expected !== 'any' && answer.status !== expected) wrong.push(`${expected} was expected: ${told}`)
        else if (answer.status >= 400 && stored() !== before) wrong.push(`changes what it refuses: ${told}`)
        if (answer !== null && !answer.bodyUsed) await answer.body?.cancel()
      }
    }
  }
  watch.close()
  expect(wrong.slice(0, 20), `${wrong.length} of ${log.length}`).toEqual([])
  expect(log.length).toBeGreaterThan(500)
})
