import { parseJson } from '../core/json.ts'
import { askServer } from './ask-server.ts'
import { failureOf } from './classify.ts'
import { fieldsOf, listOf, wordOf } from './json-fields.ts'

const COUNT_MS = 5000

/**
 * A fetch to llama-server that has it count the tokens of a long prompt first: one that does not fit is refused here, with both numbers.
 * A prompt of fewer bytes than the context has tokens fits in any case. `reserve`: tokens that are kept for the answer.
 */
export function countedFetch(inner: typeof fetch, root: string, contextTokens: number, reserve: number): typeof fetch {
  return async (target, init) => {
    const body = typeof init?.body === 'string' ? init.body : ''
    if (Buffer.byteLength(body) <= contextTokens - reserve) return inner(target, init)
    const headers = Object.fromEntries(new Headers(init?.headers))
    const signal = AbortSignal.any([...(init?.signal ? [init.signal] : []), AbortSignal.timeout(COUNT_MS)])
    const ask = askServer(inner, root, headers, signal)
    const { model = '', messages = [], tools } = fieldsOf(parseJson(body, 'the request'))
    const { prompt } = fieldsOf(await ask('/apply-template', { model, messages, ...(tools === undefined ? {} : { tools }) }))
    const counted = await ask('/tokenize', { model, content: wordOf(prompt), add_special: true })
    const tokens = listOf(fieldsOf(counted)['tokens']).length
    // Not counted: the server itself refuses what does not fit.
    if (tokens + reserve <= contextTokens) return inner(target, init)
    const problem = `The prompt has ${tokens} tokens, and of the ${contextTokens} that the server reads ${contextTokens - reserve} are for it.`
    throw failureOf('context_too_long', problem)
  }
}
