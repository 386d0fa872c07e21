import { ERRORS, type ErrorEntry } from '../core/errors.ts'
import type { ApiDocument, ApiOperation } from './api-document.ts'
import type { JsonSchema } from './routes.ts'

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

/** The errors that any route may answer with. */
export const ERROR_REFS: ApiOperation['responses'] = Object.fromEntries(
  [...codesByStatus().keys()].filter((it) => it !== 405).map((it) => [it, { $ref: `#/components/responses/Error${it}` }]),
)

export function errorResponses(): ApiDocument['components']['responses'] {
  return Object.fromEntries(
    [...codesByStatus()].map(([status, codes]) => {
      const schema = {
        allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { status: { const: status }, code: { enum: codes } } }],
      }
      return [`Error${status}`, { description: MEANINGS[status] ?? 'It failed.', content: { 'application/problem+json': { schema } } }]
    }),
  )
}

export function problemSchema(): JsonSchema {
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
