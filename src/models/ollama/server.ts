import type { AskServer } from '../ask-server.ts'
import { countOf, fieldsOf, listOf, wordOf } from '../json-fields.ts'

/** What the server says of a model. `contextTokens`: what it was made for; null: not said. */
export interface ShownModel {
  contextTokens: number | null
  tools: boolean
}

/** null: the server did not answer, or has no such model. */
export async function showModel(ask: AskServer, model: string): Promise<ShownModel | null> {
  const answer = await ask('/api/show', { model })
  if (answer === null) return null
  const { model_info: info, capabilities } = fieldsOf(answer)
  const length = Object.entries(fieldsOf(info)).find(([key]) => key.endsWith('.context_length'))?.[1]
  // Servers before 0.6.4 do not say what a model can do.
  return { contextTokens: countOf(length), tools: !Array.isArray(capabilities) || capabilities.includes('tools') }
}

/** Tokens of context a model is loaded with; null: it is not loaded, or the server does not say. */
export async function loadedContext(ask: AskServer, model: string): Promise<number | null> {
  const loaded = listOf(fieldsOf(await ask('/api/ps'))['models']).map(fieldsOf)
  return countOf(loaded.find((it) => isModel(wordOf(it['name']), model))?.['context_length'])
}

/** Is the server there, and has it the model? Loads nothing. */
export async function serverHealth(ask: AskServer, address: string, model: string): Promise<{ ok: boolean; detail: string }> {
  const { version } = fieldsOf(await ask('/api/version'))
  if (wordOf(version) === '') return { ok: false, detail: `${address} does not answer as Ollama does (/api/version).` }
  const server = `Ollama ${wordOf(version)} at ${address}`
  const installed = listOf(fieldsOf(await ask('/api/tags'))['models']).map((it) => wordOf(fieldsOf(it)['name']))
  if (!installed.some((it) => isModel(it, model)))
    return {
      ok: false,
      detail: `${server} has no model "${model}" (${installed.join(', ') || 'none is installed'}). Get it: ollama pull ${model}`,
    }
  const loaded = await loadedContext(ask, model)
  return { ok: true, detail: `${server}; ${model} is ${loaded === null ? 'installed' : `loaded with ${loaded} tokens of context`}.` }
}

/** `qwen3` is `qwen3:latest`. */
function isModel(name: string, wanted: string): boolean {
  return name === wanted || name === `${wanted}:latest`
}
