import { canonicalJson, type Json, parseJson } from '../core/json.ts'
import type { Dialect } from '../core/settings.ts'
import { askServer } from './ask-server.ts'
import { probeServer, type ServerFacts } from './dialect.ts'
import type { Endpoint } from './endpoint.ts'
import { fieldsOf, listOf, wordOf } from './json-fields.ts'

/** A server that is there answers such questions in milliseconds; a call waits for it. */
const LEARN_MS = 2000

/**
 * How an answer is held to a schema. `response_format`: the API's own way. `grammar`, `grammar_string`: a GBNF grammar in a field of that name.
 * `asked`: the prompt says it.
 */
export type SchemaWay = 'response_format' | 'grammar' | 'grammar_string' | 'asked'

/** From the strictest to the one that always works. */
const WAYS: Record<Dialect, readonly SchemaWay[]> = {
  'llama-server': ['response_format', 'grammar', 'asked'],
  localai: ['response_format', 'grammar', 'asked'],
  textgen: ['grammar_string', 'asked'],
  ollama: ['response_format', 'asked'],
  lmstudio: ['response_format', 'asked'],
  generic: ['response_format', 'asked'],
}

/** Without `context_tokens`: what it has by default, where that is less than others have. */
const USUAL_CONTEXT: Partial<Record<Dialect, number>> = { ollama: 4096 }

type Schema = { [key: string]: Json }

interface Learned {
  facts: ServerFacts | null
  /** How many ways this server has refused, by schema: it may be the schema that it does not know. */
  refused: Map<string, number>
}

/** What was learned of servers, by address and model: each step makes its provider anew and should not ask again. */
const learned = new Map<string, Learned>()

/** An openai-compatible server, as far as it has said what it is. */
export interface Server {
  /** null: it has not answered yet. */
  readonly facts: ServerFacts | null
  /** Tokens it reads at most; null: it does not say. */
  readonly contextTokens: number | null
  /** Asks it, unless everything is known. Does not throw. */
  learn(signal: AbortSignal): Promise<void>
  /** It may have been started anew, with something else: what is known counts until it has said more. */
  doubt(): void
  schemaWay(schema: Schema): SchemaWay
  /** The way of now was refused. False: there is none left. */
  nextSchemaWay(schema: Schema): boolean
}

/** `said`: what the settings say it is. */
export function serverAt(
  { baseUrl, model }: Endpoint,
  headers: Readonly<Record<string, string>>,
  fetching: typeof fetch,
  said: Dialect | undefined,
): Server {
  const key = [baseUrl, model, said ?? ''].join('\n')
  const it = learned.get(key) ?? { facts: null, refused: new Map() }
  learned.set(key, it)
  const refusedFor = (schema: Schema) => it.refused.get(canonicalJson(schema)) ?? 0
  const dialect = () => it.facts?.dialect ?? said ?? 'generic'
  return {
    get facts() {
      return it.facts
    },
    get contextTokens() {
      return it.facts?.contextTokens ?? USUAL_CONTEXT[dialect()] ?? null
    },
    async learn(signal) {
      if ((it.facts !== null && !it.facts.partial) || signal.aborted) return
      const soon = AbortSignal.any([signal, AbortSignal.timeout(LEARN_MS)])
      const questions = {
        ask: askServer(fetching, rootOf(baseUrl), headers, soon),
        askApi: askServer(fetching, baseUrl, headers, soon),
      }
      it.facts = (await probeServer(questions, model, said)) ?? it.facts
    },
    doubt() {
      if (it.facts !== null) it.facts = { ...it.facts, partial: true }
    },
    schemaWay(schema) {
      const ways = WAYS[dialect()]
      return ways[Math.min(refusedFor(schema), ways.length - 1)] ?? 'asked'
    },
    nextSchemaWay(schema) {
      const next = refusedFor(schema) + 1
      if (next >= WAYS[dialect()].length) return false
      it.refused.set(canonicalJson(schema), next)
      return true
    },
  }
}

/** The server itself: its own questions are not below `/v1`. */
export function rootOf(baseUrl: string): string {
  return baseUrl.replace(/\/v1$/, '')
}

/** What it is and can do, for people. `listed`: its list of models, as it sent it. */
export function describeServer({ facts }: Server, model: string, listed: string): string {
  if (facts === null) return ''
  const { dialect, contextTokens, tools, ownModel } = facts
  const names = namesIn(listed)
  const parts = [
    dialect === 'generic' ? null : dialect,
    contextTokens === null ? null : `${contextTokens} tokens of context`,
    tools ? null : 'no tool calls with this model',
    ownModel === null || ownModel === model
      ? null
      : `it answers with the model that it has loaded, "${ownModel}"; the name "${model}" is ignored`,
    // Not a failure: some load what they do not list, or go by other names.
    ownModel !== null || names.length === 0 || names.includes(model) ? null : `it lists no "${model}" but ${someOf(names)}`,
  ].filter((it) => it !== null)
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

function namesIn(listed: string): string[] {
  try {
    return listOf(fieldsOf(parseJson(listed, 'the list of models'))['data']).map((it) => wordOf(fieldsOf(it)['id']))
  } catch {
    return []
  }
}

const LONGEST_NAME = 80

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((it) => (it.length > LONGEST_NAME ? `${it.slice(0, LONGEST_NAME)}…` : it))
  return `${shown.join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`
}
