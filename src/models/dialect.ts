import type { Json } from '../core/json.ts'
import type { Dialect } from '../core/settings.ts'
import type { AskServer } from './ask-server.ts'
import { countOf, fieldsOf, listOf, wordOf } from './json-fields.ts'
import { loadedContext, showModel } from './ollama/server.ts'

/** What an openai-compatible server is, and can do with one model. */
export interface ServerFacts {
  dialect: Dialect
  /** Tokens it reads at most; null: it does not say. */
  contextTokens: number | null
  tools: boolean
  /** What it answers with whatever the request names; null: it does as the request says. */
  ownModel: string | null
  /** Some questions were not answered in time: ask again next time. */
  partial: boolean
}

/** Reached below `/v1` where the address ends so: `root` is the server, `ask` is there, `askApi` below the address. */
export interface Questions {
  ask: AskServer
  askApi: AskServer
}

interface Known {
  dialect: Exclude<Dialect, 'generic'>
  /** A question that its server alone answers in this way; what else there is to know comes after it. */
  path: string
  is(answer: Json): boolean
  facts(answer: Json, model: string, ask: AskServer): Promise<Omit<ServerFacts, 'dialect'>>
}

const NOTHING: Omit<ServerFacts, 'dialect'> = { contextTokens: null, tools: true, ownModel: null, partial: false }

/** In the order in which they are believed: the first ones also answer some questions of the others. */
const KNOWN: readonly Known[] = [
  { dialect: 'llama-server', path: '/props', is: (it) => 'default_generation_settings' in fieldsOf(it), facts: llamaServer },
  { dialect: 'ollama', path: '/api/version', is: (it) => wordOf(fieldsOf(it)['version']) !== '', facts: ollama },
  { dialect: 'lmstudio', path: '/api/v1/models', is: (it) => 'key' in firstOf(it, 'models'), facts: lmStudio },
  { dialect: 'lmstudio', path: '/api/v0/models', is: (it) => 'max_context_length' in firstOf(it, 'data'), facts: lmStudioBefore },
  { dialect: 'localai', path: '/.well-known/localai.json', is: (it) => 'endpoints' in fieldsOf(it), facts: async () => NOTHING },
  { dialect: 'textgen', path: '/v1/internal/model/info', is: (it) => 'model_name' in fieldsOf(it), facts: textgen },
]

/**
 * Asks a server what it is, by what only that server answers, and what the model can do: one question after the other over one connection.
 * `said`: what the settings say it is; then nothing else is believed, and of a `generic` one nothing is asked. null: nothing answered.
 */
export async function probeServer({ ask, askApi }: Questions, model: string, said?: Dialect): Promise<ServerFacts | null> {
  if (said === 'generic') return { dialect: 'generic', ...NOTHING }
  for (const it of KNOWN) {
    if (said !== undefined && it.dialect !== said) continue
    const answer = await ask(it.path)
    if (answer !== null && it.is(answer)) return { dialect: it.dialect, ...(await it.facts(answer, model, ask)) }
  }
  if (said !== undefined) return { dialect: said, ...NOTHING, partial: true }
  const models = await askApi('/models')
  return models === null ? null : { dialect: 'generic', ...NOTHING, contextTokens: listedContext(models, model) }
}

/** A router, which serves many models, answers for one when it is named, and loads it for that. */
async function llamaServer(props: Json, model: string, ask: AskServer): Promise<Omit<ServerFacts, 'dialect'>> {
  const router = fieldsOf(props)['role'] === 'router'
  const own = router ? await ask(`/props?model=${encodeURIComponent(model)}`) : props
  // It is still being loaded, or there is no such model.
  if (own === null) return { ...NOTHING, contextTokens: listedContext(await ask('/v1/models'), model), partial: true }
  const { default_generation_settings: generation, chat_template_caps: caps } = fieldsOf(own)
  const size = countOf(fieldsOf(generation)['n_ctx'])
  // Servers before late 2025 do not say it.
  return { ...NOTHING, contextTokens: size === 0 ? null : size, tools: fieldsOf(caps)['supports_tools'] !== false }
}

/** By this way in its context is what it was started with; 4096 is its default, and it leaves out what does not fit without a word. */
async function ollama(_: Json, model: string, ask: AskServer): Promise<Omit<ServerFacts, 'dialect'>> {
  const [shown, loaded] = await Promise.all([showModel(ask, model), loadedContext(ask, model)])
  return { ...NOTHING, contextTokens: loaded, tools: shown?.tools ?? true, partial: loaded === null }
}

async function lmStudio(answer: Json, model: string): Promise<Omit<ServerFacts, 'dialect'>> {
  const found = fieldsOf(listOf(fieldsOf(answer)['models']).find((it) => fieldsOf(it)['key'] === model))
  const loaded = fieldsOf(fieldsOf(listOf(found['loaded_instances'])[0])['config'])['context_length']
  const tools = fieldsOf(found['capabilities'])['trained_for_tool_use'] !== false
  return { ...NOTHING, contextTokens: countOf(loaded) ?? countOf(found['max_context_length']), tools, partial: countOf(loaded) === null }
}

/** Before version 0.4. */
async function lmStudioBefore(answer: Json, model: string): Promise<Omit<ServerFacts, 'dialect'>> {
  const found = fieldsOf(listOf(fieldsOf(answer)['data']).find((it) => fieldsOf(it)['id'] === model))
  const loaded = countOf(found['loaded_context_length'])
  return { ...NOTHING, contextTokens: loaded ?? countOf(found['max_context_length']), partial: loaded === null }
}

async function textgen(answer: Json): Promise<Omit<ServerFacts, 'dialect'>> {
  const name = wordOf(fieldsOf(answer)['model_name'])
  return { ...NOTHING, ownModel: name === '' ? 'None' : name }
}

/** vLLM says `max_model_len`; gateways `context_length`. */
function listedContext(models: Json | null, model: string): number | null {
  const found = fieldsOf(listOf(fieldsOf(models ?? null)['data']).find((it) => fieldsOf(it)['id'] === model))
  return countOf(found['max_model_len']) ?? countOf(found['context_length'])
}

function firstOf(answer: Json, list: string): { readonly [key: string]: Json | undefined } {
  return fieldsOf(listOf(fieldsOf(answer)[list])[0])
}
