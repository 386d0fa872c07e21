import { type McpServer, ProtocolError, ProtocolErrorCode, ResourceTemplate } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Extend } from '../../src/mcp/server.ts'
import { addQuestions } from './questions.ts'
import { addTasks } from './tasks.ts'

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA='

const pause = () => new Promise((resolve) => setTimeout(resolve, 50))
const text = (it: string) => ({ type: 'text' as const, text: it })
const image = { type: 'image' as const, data: PNG, mimeType: 'image/png' }
const nothing = z.object({})

/** What the scenarios of the conformance suite look for, besides the product's own. Tasks are runs of this project. */
export const conformanceFixtures =
  (project: string): Extend =>
  (server, callOf) => {
    addContents(server)
    addTalk(server)
    addSchemas(server)
    addResources(server)
    addPrompts(server)
    addQuestions(server, callOf)
    addTasks(server, callOf, project)
  }

function addContents(server: McpServer): void {
  const says = (name: string, ...content: Parameters<typeof answerOf>[0]) =>
    server.registerTool(name, { description: `Fixture: ${name}`, inputSchema: nothing }, () => answerOf(content))
  const answerOf = (
    content: (ReturnType<typeof text> | typeof image | { type: 'audio'; data: string; mimeType: string } | Embedded)[],
  ) => ({
    content,
  })
  says('test_simple_text', text('This is a simple text response for testing.'))
  says('test_image_content', image)
  says('test_audio_content', { type: 'audio', data: WAV, mimeType: 'audio/wav' })
  says('test_embedded_resource', embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'))
  says(
    'test_multiple_content_types',
    text('Multiple content types test:'),
    image,
    embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  )
  server.registerTool('test_error_handling', { description: 'Fixture: fails', inputSchema: nothing }, () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
}

type Embedded = ReturnType<typeof embedded>

function embedded(uri: string, mimeType: string, content: string) {
  return { type: 'resource' as const, resource: { uri, mimeType, text: content } }
}

function addTalk(server: McpServer): void {
  server.server.registerCapabilities({ logging: {} })
  server.registerTool('test_tool_with_progress', { description: 'Fixture: progress', inputSchema: nothing }, async (_, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined)
        await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } })
      await pause()
    }
    return { content: [text('Progress was shown.')] }
  })
  for (const name of ['test_tool_with_logging', 'test_logging_tool']) {
    server.registerTool(name, { description: 'Fixture: log messages', inputSchema: nothing }, async (_, { mcpReq }) => {
      for (const it of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        // oxlint-disable-next-line no-deprecated -- the scenario is about it
        await mcpReq.log('info', it).catch(() => undefined)
        await pause()
      }
      return { content: [text('It was logged.')] }
    })
  }
  server.registerTool('test_trigger_tool_change', { description: 'Fixture: changes no tool', inputSchema: nothing }, () => ({
    content: [text('The tools of reeve never change.')],
  }))
}

const SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
  // oxlint-disable-next-line unicorn/no-thenable -- the same
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
}

const HEADERS = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
  required: ['region'],
}

/** A schema as it is written, which reads nothing. */
function written(schema: Record<string, unknown>) {
  const jsonSchema = { input: () => schema, output: () => schema }
  return { '~standard': { version: 1 as const, vendor: 'test', validate: (value: unknown) => ({ value }), jsonSchema } }
}

function addSchemas(server: McpServer): void {
  const done = () => ({ content: [text('Done.')] })
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: written(SCHEMA) },
    done,
  )
  server.registerTool('test_custom_headers_tool', { description: 'Fixture: a header for an argument', inputSchema: written(HEADERS) }, done)
}

function addResources(server: McpServer): void {
  const content = 'This is the content of the static text resource.'
  server.registerResource('static-text', 'test://static-text', { description: 'Fixture: text', mimeType: 'text/plain' }, () => ({
    contents: [{ uri: 'test://static-text', mimeType: 'text/plain', text: content }],
  }))
  server.registerResource('static-binary', 'test://static-binary', { description: 'Fixture: a picture', mimeType: 'image/png' }, () => ({
    contents: [{ uri: 'test://static-binary', mimeType: 'image/png', blob: PNG }],
  }))
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'Fixture: a template', mimeType: 'application/json' },
    (uri, { id }) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  )
}

function addPrompts(server: McpServer): void {
  server.server.registerCapabilities({ prompts: { listChanged: false } })
  const user = <C>(content: C) => ({ role: 'user' as const, content })
  server.registerPrompt('test_simple_prompt', { description: 'Fixture: simple' }, () => ({
    messages: [user(text('This is a simple prompt for testing.'))],
  }))
  const two = z.object({ arg1: z.string().describe('First'), arg2: z.string().describe('Second') })
  server.registerPrompt('test_prompt_with_arguments', { description: 'Fixture: arguments', argsSchema: two }, ({ arg1, arg2 }) => ({
    messages: [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
  }))
  const one = z.object({ resourceUri: z.string().describe('Address') })
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Fixture: a resource', argsSchema: one },
    ({ resourceUri }) => ({
      messages: [
        user(embedded(resourceUri, 'text/plain', 'Embedded resource content for testing.')),
        user(text('Please process the embedded resource above.')),
      ],
    }),
  )
  server.registerPrompt('test_prompt_with_image', { description: 'Fixture: a picture' }, () => ({
    messages: [user(image), user(text('Please analyze the image above.'))],
  }))
  server.server.registerCapabilities({ completions: {} })
  server.server.setRequestHandler('completion/complete', ({ params }) => {
    if (params.argument.name === '') throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Which argument?')
    return { completion: { values: [], total: 0, hasMore: false } }
  })
}
