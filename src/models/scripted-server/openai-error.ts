import type { Json } from '../../core/json.ts'
import type { Problem } from './dialect.ts'

const CODES: Record<Problem['kind'], readonly [type: string, code: string | null]> = {
  auth: ['invalid_request_error', 'invalid_api_key'],
  forbidden: ['invalid_request_error', 'permission_denied'],
  not_found: ['invalid_request_error', 'model_not_found'],
  context_too_long: ['invalid_request_error', 'context_length_exceeded'],
  rate_limited: ['requests', 'rate_limit_exceeded'],
  quota: ['insufficient_quota', 'insufficient_quota'],
  server: ['server_error', null],
  unavailable: ['server_error', null],
  overloaded: ['server_error', null],
}

/** An error as all of OpenAI's APIs say it. */
export function openaiError({ kind, message }: Problem): Json {
  const [type, code] = CODES[kind]
  return { error: { message, type, code, param: null } }
}
