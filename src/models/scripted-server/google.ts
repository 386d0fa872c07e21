import type { Json } from '../../core/json.ts'
import { fieldsOf, listOf, wordOf } from '../json-fields.ts'
import { type Asked, type AskedPart, type Problem, type Reply, type ServerDialect, serverEvent, textIn } from './dialect.ts'

const STATUSES: Record<Problem['kind'], string> = {
  auth: 'UNAUTHENTICATED',
  forbidden: 'PERMISSION_DENIED',
  not_found: 'NOT_FOUND',
  context_too_long: 'INVALID_ARGUMENT',
  rate_limited: 'RESOURCE_EXHAUSTED',
  quota: 'RESOURCE_EXHAUSTED',
  server: 'INTERNAL',
  unavailable: 'UNAVAILABLE',
  overloaded: 'UNAVAILABLE',
}

/** `POST /v1beta/models/M:streamGenerateContent` and `:generateContent`. */
export const google: ServerDialect = {
  name: 'google',
  streamType: 'text/event-stream',
  read,
  // Two events, as the API repeats the counts in each of them.
  stream: (reply) => [serverEvent(content(reply, [{ text: '' }], null)), serverEvent(content(reply, partsOf(reply), reasonOf(reply)))],
  whole: (reply) => content(reply, partsOf(reply), reasonOf(reply)),
  error: ({ status, kind, message }) => ({ error: { code: status, message, status: STATUSES[kind], details: [] } }),
}

function read(body: Json, path: string): Asked {
  const { systemInstruction, contents, tools } = fieldsOf(body)
  const parts: AskedPart[] = [{ kind: 'system', text: textIn(fieldsOf(systemInstruction)['parts']) }]
  for (const it of listOf(contents)) {
    const { role, parts: inner } = fieldsOf(it)
    for (const part of listOf(inner)) if (fieldsOf(part)['functionResponse'] !== undefined) parts.push({ kind: 'result' })
    const text = textIn(inner)
    if (role !== 'model' && text !== '') parts.push({ kind: 'user', text })
  }
  const declared = listOf(tools).flatMap((it) => listOf(fieldsOf(it)['functionDeclarations']))
  return {
    model: decodeURIComponent(/models\/([^/:]+):/.exec(path)?.[1] ?? ''),
    stream: path.includes(':stream'),
    tools: declared.map((it) => {
      const { name, parameters, parametersJsonSchema } = fieldsOf(it)
      return { name: wordOf(name), schema: parametersJsonSchema ?? parameters ?? {} }
    }),
    parts,
  }
}

function partsOf({ text, calls }: Reply): Json[] {
  return [...(text === '' ? [] : [{ text }]), ...calls.map((it): Json => ({ functionCall: { id: it.id, name: it.name, args: it.input } }))]
}

function reasonOf({ refused }: Reply): string {
  return refused ? 'SAFETY' : 'STOP'
}

function content({ id, model, usage }: Reply, parts: Json[], finishReason: string | null): Json {
  const last = finishReason === null ? {} : { finishReason }
  return {
    candidates: [{ content: { role: 'model', parts }, index: 0, ...last }],
    usageMetadata: {
      promptTokenCount: usage.input,
      candidatesTokenCount: usage.output,
      totalTokenCount: usage.input + usage.output,
      ...(usage.cached === 0 ? {} : { cachedContentTokenCount: usage.cached }),
    },
    modelVersion: model,
    responseId: id,
  }
}
