/**
 * A provider for a gateway that takes `{ model, messages, tools }` at `/ask` and answers with JSON lines: `{"say": …}`, `{"do": …, "with": …}`
 * and at the end `{"read": …, "wrote": …}`.
 *
 * @type {import('reeve/plugin').ProviderPlugin}
 */
export const plugin = {
  kind: 'provider',
  create: ({ baseUrl, key, model, fail }) => ({
    model: model ?? 'team/large',

    async *answer({ messages, tools, maxOutputTokens, signal }) {
      const body = JSON.stringify({ model, messages, tools, most: maxOutputTokens })
      const headers = { 'content-type': 'application/json', 'x-team-key': key ?? '' }
      const response = await fetch(`${baseUrl}/ask`, { method: 'POST', headers, body, signal, redirect: 'error' })
      if (!response.ok) throw failure(response, fail)

      let calls = 0
      for await (const line of linesOf(response.body)) {
        const part = JSON.parse(line)
        if (part.say !== undefined) yield { type: 'text', text: part.say }
        else if (part.do !== undefined) yield { type: 'call', call: { id: `call-${++calls}`, name: part.do, input: part.with } }
        else {
          yield { type: 'end', tokens: { input: part.read, output: part.wrote, cached: 0 }, finish: calls > 0 ? 'calls' : 'stop' }
          return
        }
      }
    },

    async health(signal) {
      const { ok, status } = await fetch(`${baseUrl}/alive`, { signal, redirect: 'error' })
      return { ok, detail: ok ? 'The gateway answers.' : `The gateway answers HTTP ${status}.` }
    },
  }),
}

/** Which class a refusal has decides what reeve does next. */
function failure({ status, headers }, fail) {
  if (status === 401) return fail('auth', 'The gateway refuses the key.')
  if (status === 413) return fail('context_too_long', 'The request is too long for the model.')
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  if (status === 429) return fail('rate_limited', 'The gateway has had enough requests.', { retryAfterMs: seconds * 1000 })
  return fail('overloaded', `The gateway answers HTTP ${status}.`)
}

async function* linesOf(stream) {
  let rest = ''
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines.filter((it) => it !== '')
  }
}
