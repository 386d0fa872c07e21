import { createOpenAI } from '@ai-sdk/openai'
import type { ApiKind } from './kind.ts'

/** OpenAI's responses API. Servers that only speak chat completions are `openai-compatible`. */
export const openai: ApiKind = {
  baseUrl: 'https://api.openai.com/v1',
  keyVariables: ['OPENAI_API_KEY'],
  returnsCallData: false,
  marksCache: false,
  // Nothing is stored beyond what answering needs. Turns of one agent go where the ones before were read; the key has 64 characters at most.
  options: ({ run, role }) => ({ openai: { store: false, promptCacheKey: `${run}/${role}`.slice(-64) } }),
  authHeaders: (key) => ({ authorization: `Bearer ${key ?? ''}` }),
  model: ({ baseUrl, model, key, fetch }) => createOpenAI({ baseURL: baseUrl, apiKey: key ?? '', fetch }).responses(model),
}
