import { createGoogle } from '@ai-sdk/google'
import type { ApiKind } from './kind.ts'

/** Google's generateContent API. */
export const google: ApiKind = {
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  keyVariables: ['GOOGLE_GENERATIVE_AI_API_KEY', 'GEMINI_API_KEY'],
  // Thinking models sign their calls and refuse a next turn without the signature.
  returnsCallData: true,
  marksCache: false,
  authHeaders: (key) => ({ 'x-goog-api-key': key ?? '' }),
  model: ({ baseUrl, model, key, fetch }) => createGoogle({ baseURL: baseUrl, apiKey: key ?? '', fetch })(model),
}
