import type { JsonSchema } from './routes.ts'

/** As much of OpenAPI 3.1 as the document of the routes has. */
export interface ApiOperation {
  operationId: string
  summary: string
  description: string
  tags: string[]
  security?: []
  parameters?: Parameter[]
  requestBody?: { required: boolean; content: Content }
  responses: Record<string, { $ref: string } | { description: string; content?: Content }>
}
export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  description?: string
  schema?: JsonSchema
  content?: Content
}
export type Content = Record<string, { schema: JsonSchema; example?: unknown }>
export interface ApiDocument {
  openapi: string
  info: { title: string; version: string; summary: string; description: string; license: { name: string; identifier: string } }
  servers: { url: string }[]
  security: Record<string, []>[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, ApiOperation>>
  components: {
    securitySchemes: object
    schemas: Record<string, JsonSchema>
    responses: Record<string, { description: string; content: Content }>
  }
}
