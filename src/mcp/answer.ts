import type { CallToolResult } from '@modelcontextprotocol/server'
import { problemOf, ReeveError } from '../core/errors.ts'
import { visible } from '../core/hostile-text.ts'

type ContentBlock = CallToolResult['content'][number]

/** A result as data, and the same as text for hosts that show models nothing else. */
export function answer(data: Record<string, unknown>, more: ContentBlock[] = []): CallToolResult {
  const structuredContent = harmless(data) as Record<string, unknown>
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }, ...more], structuredContent }
}

/** What went wrong, as the result of a call: a model reads it and does better. Anything else than a `ReeveError` is a defect of ours. */
export function failure(error: unknown): CallToolResult {
  const known = error instanceof ReeveError ? error : new ReeveError('internal', { problem: problemOf(error) })
  const message = known.hint === undefined ? known.message : `${known.message} ${known.hint}`
  const retryable = known.status === 503 || known.status === 429
  const structuredContent = { error: { code: known.code, message: visible(message), retryable } }
  return { content: [{ type: 'text', text: visible(message) }], structuredContent, isError: true }
}

/** All texts without what a terminal or a model could take for something else than what is seen. */
export function harmless(value: unknown): unknown {
  if (typeof value === 'string') return visible(value)
  if (Array.isArray(value)) return value.map(harmless)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [visible(key), harmless(it)]))
}

/** A link that hosts can follow or subscribe to. */
export function linkTo(run: string): ContentBlock {
  return { type: 'resource_link', uri: `reeve://runs/${run}`, name: run, mimeType: 'application/json' }
}
