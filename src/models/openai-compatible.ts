import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { ApiKind } from './kind.ts'

/** Any server that speaks chat completions: Ollama, llama-server, LM Studio, vLLM, LocalAI, gateways. */
export const openaiCompatible: ApiKind = {
  baseUrl: null,
  keyVariables: [],
  returnsCallData: false,
  marksCache: false,
  authHeaders: (key): Record<string, string> => (key === null ? {} : { authorization: `Bearer ${key}` }),
  model: ({ baseUrl, model, key, name, fetch }) =>
    createOpenAICompatible({
      name,
      baseURL: baseUrl,
      ...(key === null ? {} : { apiKey: key }),
      fetch,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })(model),
}
