import type { ApiDocument, ApiOperation, Parameter } from './api-document.ts'
import type { JsonSchema } from './routes.ts'

/** Of the page; the policy of the page allows this text and nothing else. */
export const STYLE = `
:root { color-scheme: light dark; --line: #d0d7de; --soft: #f6f8fa; --text: #1f2328; --faint: #59636e; --link: #0550ae; }
@media (prefers-color-scheme: dark) { :root { --line: #3d444d; --soft: #161b22; --text: #e6edf3; --faint: #9198a1; --link: #79c0ff; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--text); background: Canvas; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, pre:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code, pre { font: 0.875rem/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: 0.75rem; background: var(--soft); border: 1px solid var(--line); border-radius: 6px; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding: 0; list-style: none; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
details { border: 1px solid var(--line); border-radius: 6px; margin: 0.5rem 0; }
summary { cursor: pointer; padding: 0.5rem 0.75rem; overflow-wrap: anywhere; }
summary b { display: inline-block; min-width: 4.2em; font: 700 0.8rem ui-monospace, monospace; }
summary span { color: var(--faint); display: block; padding-left: 4.4em; }
.in { padding: 0 0.75rem 0.75rem; border-top: 1px solid var(--line); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.75rem 0.3rem 0; border-bottom: 1px solid var(--line); }
@media (max-width: 40rem) {
  summary span { padding-left: 0; }
  thead { display: none; }
  tr { display: block; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  td { display: inline; border: 0; overflow-wrap: anywhere; }
  td:last-child { display: block; }
}
@media print { details > .in { display: block; } }
`

/** The document as a page for people: no script, nothing from elsewhere, one `details` for each route. */
export function apiHtml(document: ApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, it]) => ({ method: method.toUpperCase(), path, it })),
  )
  const sections = document.tags.map(({ name, description }) => {
    const own = operations.filter(({ it }) => it.tags.includes(name))
    return `<section aria-labelledby="${slug(name)}"><h2 id="${slug(name)}">${text(name)}</h2><p>${text(description)}</p>
${own.map((one) => operationHtml(one.method, one.path, one.it)).join('\n')}</section>`
  })
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>reeve API</title>
<style>${STYLE}</style></head><body>
<header><h1>reeve API <small>${text(document.info.version)}</small></h1>
${document.info.description
  .split('\n')
  .map((it) => `<p>${marked(it)}</p>`)
  .join('\n')}
<p>For programs: <a href="/api/v1/openapi.json">the OpenAPI 3.1 document</a>.</p></header>
<nav aria-label="Parts"><ul>${document.tags.map((it) => `<li><a href="#${slug(it.name)}">${text(it.name)}</a></li>`).join('')}
<li><a href="#shapes">shapes</a></li> <li><a href="#problems">problems</a></li></ul></nav>
<main>${sections.join('\n')}
${errorsHtml(document)}</main></body></html>
`
}

function operationHtml(method: string, path: string, it: ApiOperation): string {
  const fields = [...(it.parameters ?? []).map(parameterRow), ...bodyRows(it)]
  const table = `<div class="wide" role="region" aria-label="Fields" tabindex="0"><table><thead><tr><th>field</th><th>in</th><th>type</th><th>what it is</th></tr></thead>
<tbody>${fields.join('')}</tbody></table></div>`
  return `<details id="${slug(it.operationId)}"><summary><b>${method}</b><code>${text(path)}</code><span>${text(it.summary)}</span></summary><div class="in">
<p><code>${text(it.operationId)}</code>. ${marked(it.description)}</p>
${fields.length === 0 ? '<p>It takes no fields.</p>' : table}
<p>Example:</p><pre tabindex="0">${text(curlOf(method, path, it))}</pre>
${answersHtml(it)}</div></details>`
}

function parameterRow(it: Parameter): string {
  const schema = it.schema ?? Object.values(it.content ?? {})[0]?.schema ?? {}
  return row(it.name, it.in, it.required, schema, it.description ?? '')
}

function bodyRows({ requestBody }: ApiOperation): string[] {
  const schema = requestBody?.content['application/json']?.schema
  return Object.entries(schema?.properties ?? {}).map(([name, it]) => {
    const field = typeof it === 'object' ? it : {}
    return row(name, 'body', (schema?.required ?? []).includes(name), field, field.description ?? '')
  })
}

function row(name: string, place: string, required: boolean, schema: JsonSchema, about: string): string {
  const extra = schema.default === undefined ? '' : ` Default: <code>${text(JSON.stringify(schema.default))}</code>.`
  return `<tr><td><code>${text(name)}</code>${required ? ' <small>needed</small>' : ''}</td><td>${place}</td><td>${text(typeName(schema))}</td><td>${text(about)}${extra}</td></tr>`
}

/** A type in few words. */
export function typeName(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? 'any'
  if (schema.enum !== undefined) return schema.enum.map((it) => JSON.stringify(it)).join(' | ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const some = schema.anyOf ?? schema.oneOf
  if (some !== undefined) return some.map((it) => typeName(it)).join(' | ')
  if (schema.type === 'array') return `list of ${typeof schema.items === 'object' ? typeName(schema.items as JsonSchema) : 'any'}`
  return Array.isArray(schema.type) ? schema.type.join(' | ') : (schema.type ?? 'any')
}

function curlOf(method: string, path: string, it: ApiOperation): string {
  const body = it.requestBody?.content['application/json']
  const lines = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}http://127.0.0.1:7433${path.replaceAll(/\{(\w+)\}/g, '<$1>')}`,
    ...(it.security === undefined ? ['-H "Authorization: Bearer $REEVE_TOKEN"'] : []),
    ...(body === undefined ? [] : ['-H "Content-Type: application/json"', `-d '${JSON.stringify(body.example ?? {})}'`]),
  ]
  return lines.join(' \\\n  ')
}

function answersHtml({ responses }: ApiOperation): string {
  const [answer] = Object.values(responses)
  if (answer === undefined || '$ref' in answer) return ''
  return Object.entries(answer.content ?? {})
    .map(([type, { schema, example }]) => {
      const shape = typeof example === 'string' ? example : shapeOf(schema, 0)
      return `<p>It answers with <code>${text(type)}</code>:</p><pre tabindex="0">${text(shape)}</pre>`
    })
    .join('\n')
}

/** A schema as a sketch: names and types, three levels deep. */
function shapeOf(schema: JsonSchema, level: number): string {
  const fields = Object.entries(schema.properties ?? {})
  if (schema.type === 'array' && typeof schema.items === 'object' && 'properties' in schema.items) {
    return `[${shapeOf(schema.items, level)}, …]`
  }
  if (fields.length === 0 || level > 2) return typeName(schema)
  const pad = '  '.repeat(level + 1)
  const lines = fields.map(([name, it]) => `${pad}${name}: ${typeof it === 'object' ? shapeOf(it, level + 1) : 'any'}`)
  return `{\n${lines.join('\n')}\n${'  '.repeat(level)}}`
}

function errorsHtml({ components }: ApiDocument): string {
  const rows = Object.entries(components.responses).map(([name, it]) => {
    const [, second] = Object.values(it.content)[0]?.schema.allOf ?? []
    const code = typeof second === 'object' ? second.properties?.['code'] : undefined
    const codes = typeof code === 'object' ? (code.enum ?? []) : []
    return `<tr><td>${name.slice('Error'.length)}</td><td>${text(it.description)}</td><td>${codes.map((one) => `<code>${text(String(one))}</code>`).join(', ')}</td></tr>`
  })
  const shapes = Object.entries(components.schemas).map(
    ([name, it]) =>
      `<details id="shape-${slug(name)}"><summary><b>${text(name)}</b></summary><div class="in"><pre tabindex="0">${text(shapeOf(it, 0))}</pre></div></details>`,
  )
  return `<section aria-labelledby="shapes"><h2 id="shapes">shapes</h2>${shapes.join('\n')}</section>
<section aria-labelledby="problems"><h2 id="problems">problems</h2><p>Each is a <code>Problem</code>; its <code>code</code> stays the same over versions.</p>
<div class="wide" role="region" aria-label="Problems" tabindex="0"><table><thead><tr><th>status</th><th>what it means</th><th>codes</th></tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`
}

/** Text of ours with \`code\` in it. */
function marked(line: string): string {
  return text(line).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
}

function slug(name: string): string {
  return name.replaceAll(/[^\w.]+/g, '-').toLowerCase()
}

function text(raw: string): string {
  return raw.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
