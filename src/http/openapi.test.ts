import { createHash } from 'node:crypto'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { testHttp } from '../../test/support/http.ts'
import type { ApiDocument } from './api-document.ts'
import { openapiDocument } from './openapi.ts'
import { apiHtml, typeName } from './page.ts'
import { routesOf } from './routes.ts'

const document = openapiDocument('1.2.3')

/** Every `$ref` of the document. */
function refs(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, it]) => (key === '$ref' ? [String(it)] : refs(it)))
}

describe('the OpenAPI document', () => {
  it('is valid for a validator of others', async () => {
    const { ask } = testHttp()
    const answer = await ask('GET /api/v1/openapi.json', undefined, { token: null })
    const served = (await answer.json()) as ApiDocument
    const { valid, errors } = await new Validator().validate(served as never)
    expect({ valid, errors }).toEqual({ valid: true })
    expect(served).toEqual(JSON.parse(JSON.stringify(document)))
  })

  it('has every operation once, with its summary, and leads nowhere that is not there', () => {
    const operations = Object.values(document.paths).flatMap((it) => Object.values(it))
    const ids = operations.map((it) => it.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(expect.arrayContaining(routesOf().map((it) => it.name)))
    expect(operations.filter((it) => it.summary === '').map((it) => it.operationId)).toEqual([])
    const missing = [...new Set(refs(document))].filter((it) => {
      const [, , kind = '', name = ''] = it.split('/')
      return (document.components as unknown as Record<string, Record<string, unknown>>)[kind]?.[name] === undefined
    })
    expect(missing).toEqual([])
  })

  it('names each noun and what it is about', () => {
    expect(document.tags.filter((it) => it.description === '')).toEqual([])
  })

  it('says of a stream both of its forms, and how to come back', () => {
    const events = document.paths['/api/v1/runs/{run}/events']?.['get']
    expect(events?.responses['200']).toMatchObject({
      content: { 'application/x-ndjson': { schema: { $ref: '#/components/schemas/RunEvent' } } },
    })
    expect(events?.parameters?.map((it) => `${it.in} ${it.name}`)).toEqual([
      'path run',
      'query after',
      'query follow',
      'header Last-Event-ID',
    ])
  })
})

describe('the page', () => {
  it('shows every operation once, needs nothing from elsewhere, and its policy allows its own style only', async () => {
    const { ask } = testHttp()
    const answer = await ask('GET /api', undefined, { token: null })
    const html = await answer.text()
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((it) => it[1] ?? '')
    expect(ids.filter((it, at) => ids.indexOf(it) !== at)).toEqual([])
    for (const { name } of routesOf()) expect(ids).toContain(name.toLowerCase())
    expect(html).not.toMatch(/<script|src=|https?:\/\/(?!127\.0\.0\.1:7433)/)
    expect(html).not.toMatch(/ style="| on\w+="/)
    const style = createHash('sha256')
      .update(/<style>([\s\S]*)<\/style>/.exec(html)?.[1] ?? '')
      .digest('base64')
    expect(answer.headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src 'sha256-${style}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
  })

  it('leads to nothing that is not on it', () => {
    const html = apiHtml(document)
    const links = [...html.matchAll(/href="#([^"]+)"/g)].map((it) => it[1] ?? '')
    expect(links.filter((it) => !html.includes(` id="${it}"`))).toEqual([])
  })

  it('says a type in few words', () => {
    expect(typeName({ enum: ['a', 'b'] })).toBe('"a" | "b"')
    expect(typeName({ anyOf: [{ type: 'array', items: { $ref: '#/components/schemas/Run' } }, { type: 'null' }] })).toBe(
      'list of Run | null',
    )
    expect(typeName({})).toBe('any')
  })
})
