import { acceptedContent, type ClientCapabilities, inputRequired, inputResponse, type McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Extend } from '../../src/mcp/server.ts'
import type { Sealed } from '../../src/mcp/tool.ts'

type CallOf = Parameters<Extend>[1]
type Ctx = Parameters<CallOf>[0]

const nothing = z.object({})
const say = (text: string) => ({ content: [{ type: 'text' as const, text }] })
const name = z.object({ name: z.string() })
const elicit = (message: string, requestedSchema: z.ZodObject) => inputRequired.elicit({ message, requestedSchema })
const sample = (text: string, maxTokens: number) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens })

function capabilities({ mcpReq }: Ctx): ClientCapabilities {
  const envelope: Record<string, unknown> = mcpReq.envelope ?? {}
  return envelope['io.modelcontextprotocol/clientCapabilities'] ?? {}
}

/** Tools and a prompt that ask the host for something, in one round or several. */
export function addQuestions(server: McpServer, callOf: CallOf): void {
  const add = (tool: string, run: (ctx: Ctx) => Promise<ReturnType<typeof say> | ReturnType<typeof inputRequired>>) =>
    server.registerTool(tool, { description: `Fixture: ${tool}`, inputSchema: nothing }, async (_, ctx) => run(ctx))
  const state = (ctx: Ctx, question: string) => callOf(ctx).seal({ run: 'fixture', question })
  const stateOf = (ctx: Ctx) => ctx.mcpReq.requestState<Sealed>()?.question

  const askName = async (ctx: Ctx) => {
    const said = acceptedContent(ctx.mcpReq.inputResponses, 'user_name', name)
    if (said !== undefined) return say(`Hello, ${said.name}!`)
    return inputRequired({ inputRequests: { user_name: elicit('What is your name?', name) } })
  }
  add('test_input_required_result_elicitation', askName)
  add('test_streaming_elicitation', askName)
  add('test_input_required_result_sampling', async ({ mcpReq }) => {
    const said = inputResponse(mcpReq.inputResponses, 'capital_question')
    if (said.kind === 'sampling') return say(`It said: ${JSON.stringify(said.result.content)}`)
    return inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?', 100) } })
  })
  add('test_input_required_result_list_roots', async ({ mcpReq }) => {
    const said = inputResponse(mcpReq.inputResponses, 'client_roots')
    if (said.kind === 'roots') return say(`Roots: ${said.roots.map((it) => it.uri).join(', ')}`)
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  })
  const ok = z.object({ ok: z.boolean() })
  const confirm = async (ctx: Ctx) => {
    const said = acceptedContent(ctx.mcpReq.inputResponses, 'confirm', ok)
    if (said !== undefined && stateOf(ctx) === 'confirm') return say('state-ok')
    return inputRequired({ inputRequests: { confirm: elicit('Please confirm', ok) }, requestState: await state(ctx, 'confirm') })
  }
  add('test_input_required_result_request_state', confirm)
  add('test_input_required_result_tampered_state', confirm)
  add('test_input_required_result_multiple_inputs', async (ctx) => {
    const responses = ctx.mcpReq.inputResponses
    const kinds = ['user_name', 'greeting', 'client_roots'].map((it) => inputResponse(responses, it).kind)
    if (kinds.join() === 'elicit,sampling,roots' && stateOf(ctx) === 'all') return say('All is there.')
    return inputRequired({
      inputRequests: {
        user_name: elicit('What is your name?', name),
        greeting: sample('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await state(ctx, 'all'),
    })
  })
  const color = z.object({ color: z.string() })
  add('test_input_required_result_multi_round', async (ctx) => {
    const responses = ctx.mcpReq.inputResponses
    if (stateOf(ctx) === 'second' && acceptedContent(responses, 'step2', color) !== undefined) return say('Both rounds are over.')
    if (stateOf(ctx) === 'first' && acceptedContent(responses, 'step1', name) !== undefined) {
      const question = elicit('Step 2: What is your favorite color?', color)
      return inputRequired({ inputRequests: { step2: question }, requestState: await state(ctx, 'second') })
    }
    const question = elicit('Step 1: What is your name?', name)
    return inputRequired({ inputRequests: { step1: question }, requestState: await state(ctx, 'first') })
  })
  add('test_input_required_result_capabilities', async (ctx) => {
    const { elicitation, sampling, roots } = capabilities(ctx)
    const asked = {
      ...(elicitation === undefined ? {} : { user_name: elicit('What is your name?', name) }),
      ...(sampling === undefined ? {} : { greeting: sample('Generate a greeting', 50) }),
      ...(roots === undefined ? {} : { client_roots: inputRequired.listRoots() }),
    }
    return Object.keys(asked).length === 0 ? say('Nothing can be asked.') : inputRequired({ inputRequests: asked })
  })
  server.registerPrompt('test_input_required_result_prompt', { description: 'Fixture: asks' }, ({ mcpReq }) => {
    const schema = z.object({ context: z.string() })
    const said = acceptedContent(mcpReq.inputResponses, 'user_context', schema)
    if (said === undefined) return inputRequired({ inputRequests: { user_context: elicit('What context should the prompt use?', schema) } })
    return { messages: [{ role: 'user' as const, content: { type: 'text' as const, text: `With the context: ${said.context}` } }] }
  })
  addNeeding(server)
  addOlder(add)
}

/** What is asked of hosts of before 2026-07-28, which takes a way back to them. */
function addOlder(
  add: (tool: string, run: (ctx: Ctx) => Promise<ReturnType<typeof say> | ReturnType<typeof inputRequired>>) => void,
): void {
  const enums = ['option1', 'option2', 'option3']
  const forms: Readonly<Record<string, Parameters<typeof inputRequired.elicit>[0]['requestedSchema']>> = {
    test_elicitation: z.object({ username: z.string(), email: z.string() }),
    test_elicitation_sep1034_defaults: z.object({ name: z.string().default('John Doe'), age: z.int().default(30) }),
    test_elicitation_sep1330_enums: z.object({ single: z.enum(enums), many: z.array(z.enum(enums)) }),
  }
  for (const [tool, requestedSchema] of Object.entries(forms)) {
    add(tool, async ({ mcpReq }) => {
      const said = inputResponse(mcpReq.inputResponses, 'user')
      if (said.kind === 'elicit') return say(`User response: ${said.action}`)
      return inputRequired({ inputRequests: { user: inputRequired.elicit({ message: 'Please fill in', requestedSchema }) } })
    })
  }
  add('test_sampling', async ({ mcpReq }) => {
    const said = inputResponse(mcpReq.inputResponses, 'model')
    if (said.kind === 'sampling') return say(`LLM response: ${JSON.stringify(said.result.content)}`)
    return inputRequired({ inputRequests: { model: sample('Hello', 100) } })
  })
}

/** A capability that the host has to have: an error of the protocol, so no result of a tool. */
function addNeeding(server: McpServer): void {
  server.registerTool('test_missing_capability', { description: 'Fixture: needs sampling', inputSchema: nothing }, (_, ctx) => {
    if (capabilities(ctx).sampling === undefined) return inputRequired({ inputRequests: { greeting: sample('Hello', 10) } })
    return say('It can sample.')
  })
}
