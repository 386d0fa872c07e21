import type { Json } from '../../src/core/json.ts'

/** What the agent does when it is prompted: messages it sends, one after another; `ask` waits for the answer of a permission request. */
export type Move =
  | { update: { [key: string]: Json } }
  | { ask: { [key: string]: Json } }
  | { end: { [key: string]: Json } }
  | { fail: Json }
  | { do: string }

/** A program that speaks the protocol by a script of moves for each prompt. It keeps what it was sent in its home. */
export function speaker(prompts: Move[][], about: { [key: string]: Json } = {}): string {
  return `
const lines = require('node:readline').createInterface({ input: process.stdin })
const fs = require('node:fs')
const prompts = ${JSON.stringify(prompts)}
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n')
let waiting, next = 9000, prompted
async function prompt(id, moves) {
  prompted = id
  for (const it of moves) {
    if (it.update) send({ method: 'session/update', params: { sessionId: 's-1', update: it.update } })
    if (it.ask) { send({ id: next++, method: 'session/request_permission', params: { sessionId: 's-1', ...it.ask } }); await new Promise((done) => (waiting = done)) }
    if (it.do) eval(it.do)
    if (it.end) send({ id, result: it.end })
    if (it.fail) send({ id, error: it.fail })
  }
}
console.log('Welcome! This is no message.')
lines.on('line', (line) => {
  fs.appendFileSync(process.env.HOME + '/heard.jsonl', line + '\\n')
  const { id, method, params } = JSON.parse(line)
  if (method === 'initialize') send({ id, result: { protocolVersion: 1, agentInfo: { name: 'fake', version: '7.1.0' }, ...${JSON.stringify(about)} } })
  if (method === 'session/new') send({ id, result: { sessionId: 's-1', configOptions: [{ id: 'model', category: 'model', type: 'select', options: [{ value: 'maker/m-2' }] }] } })
  if (method === 'session/load') send(params.sessionId === 'gone' ? { id, error: { code: -32002, message: 'none' } } : { id, result: {} })
  if (method === 'session/set_config_option') send({ id, result: {} })
  if (method === 'session/prompt') prompt(id, prompts.shift() ?? [])
  if (method === 'session/cancel' && !globalThis.deaf) send({ id: prompted, result: { stopReason: 'cancelled' } })
  if (!method) waiting?.()
})
lines.on('close', () => process.exit(0))`
}
