import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { ApiKind } from './kind.ts'

/** Any server that speaks chat completions: llama-server, LM Studio, LocalAI, text-generation-webui, vLLM, gateways. */
export const openaiCompatible: ApiKind = {
  baseUrl: null,
  keyVariables: [],
  returnsCallData: false,
  marksCache: false,
  authHeaders: (key): Record<string, string> => (key === null ? {} : { authorization: `Bearer ${key}` }),
  isServer: true,
  model: ({ baseUrl, model, key, name, fetch, more }) =>
    createOpenAICompatible({
      name,
      baseURL: baseUrl,
      ...(key === null ? {} : { apiKey: key }),
      fetch,
      includeUsage: true,
      supportsStructuredOutputs: true,
      transformRequestBody: (body) => ({ ...body, ...more }),
    })(model),
}
