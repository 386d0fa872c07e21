import { createAnthropic } from '@ai-sdk/anthropic'
import type { ApiKind } from './kind.ts'

/** Anthropic's messages API. */
export const anthropic: ApiKind = {
  baseUrl: 'https://api.anthropic.com/v1',
  keyVariables: ['ANTHROPIC_API_KEY'],
  returnsCallData: false,
  marksCache: true,
  authHeaders: (key) => ({ 'x-api-key': key ?? '', 'anthropic-version': '2023-06-01' }),
  model: ({ baseUrl, model, key, fetch }) => createAnthropic({ baseURL: baseUrl, apiKey: key ?? '', fetch })(model),
}
