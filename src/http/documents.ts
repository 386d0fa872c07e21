import { createHash } from 'node:crypto'
import { openapiDocument } from './openapi.ts'
import { apiHtml, STYLE } from './page.ts'

export interface Documents {
  openapi(): Response
  page(): Response
}

/** What the API says of itself; made when it is first asked for, and then kept. */
export function createDocuments(version: string): Documents {
  let made: { openapi: string; page: string } | null = null
  const both = () => {
    if (made !== null) return made
    const document = openapiDocument(version)
    made = { openapi: `${JSON.stringify(document, null, 2)}\n`, page: apiHtml(document) }
    return made
  }
  const style = createHash('sha256').update(STYLE).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${style}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
  return {
    openapi: () => new Response(both().openapi, { headers: { 'content-type': 'application/json' } }),
    page: () => new Response(both().page, { headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy } }),
  }
}
