import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { referencePages } from '../../scripts/reference.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { KEY_NOTES, settingKeys } from '../../src/config/keys.ts'
import { loadSettings } from '../../src/config/load.ts'
import { EVENT_TYPES } from '../../src/core/event.ts'
import { taskSchema } from '../../src/core/task.ts'
import { verdictSchema } from '../../src/core/verdict.ts'
import { runEventSchema, runViewSchema } from '../../src/operations/shapes.ts'
import { readTaskFiles } from '../../src/operations/task-file.ts'

const folder = join(import.meta.dirname, '../../docs/reference')
const page = (name: string) => readFileSync(join(folder, name), 'utf8')

/** The first fenced block of a page in this language. */
function block(name: string, language: string): string {
  return new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page(name))?.[1] ?? ''
}

describe('the generated pages', () => {
  it.each(Object.entries(referencePages()))('%s is what the code says (else run: node scripts/reference.ts)', (name, text) => {
    expect(page(name)).toBe(text)
  })
})

describe('configuration', () => {
  it('says of every key of the schema what it is for, and of no other', () => {
    const keys = settingKeys().map((it) => it.key)
    expect(keys.filter((it) => KEY_NOTES[it] === undefined)).toEqual([])
    expect(Object.keys(KEY_NOTES).filter((it) => !keys.includes(it))).toEqual([])
  })

  it('shows an example that is valid', async () => {
    const example = block('configuration.md', 'toml')
    const loaded = await loadSettings({
      projectRoot: '/',
      env: {},
      readProjectFile: async (path) => (path === 'reeve.toml' ? example : null),
    })
    expect(loaded.settings.runs.max_attempts).toBe(4)
    expect(loaded.settings.providers['local']).toMatchObject({ base_url: 'http://127.0.0.1:11434/v1' })
  })
})

describe('task files', () => {
  it('names every field', () => {
    const text = page('task-files.md')
    for (const field of Object.keys(taskSchema.shape)) expect(text, field).toMatch(new RegExp(`\`${field}[\`.]`))
  })

  it('shows an example that is valid', () => {
    expect(readTaskFiles([{ name: 'example', text: block('task-files.md', 'yaml') }]).tasks).toMatchObject([
      { id: 'export-json', kind: 'feature' },
    ])
  })
})

const named = (schema: z.ZodType): string[] => {
  const json = z.toJSONSchema(schema) as { properties?: Record<string, { properties?: Record<string, unknown> }> }
  return Object.keys(json.properties ?? {})
}

describe('a run as JSON', () => {
  it.each([
    ['the run', runViewSchema],
    ['its steps', runViewSchema.shape.steps.element],
    ['its verdict', verdictSchema],
    ['a gate', verdictSchema.shape.gates.element],
    ['a finding', verdictSchema.shape.gates.element.shape.findings.element],
    ['the red proof', verdictSchema.shape.redProof],
    ['events', runEventSchema],
  ])('names every field of %s', (_what, schema) => {
    const text = page('run-json.md')
    for (const field of named(schema as z.ZodType)) expect(text, field).toContain(`\`${field}\``)
  })
})

it('every command has an example that begins with it, and says its exit codes', () => {
  for (const { name, examples, exits } of COMMANDS) {
    expect(examples.length, name).toBeGreaterThan(0)
    for (const [line] of examples) expect(line, name).toContain(`reeve ${name}`)
    expect(exits, name).toContain(0)
  }
})

it('an event type is a noun and a past', () => {
  for (const type of Object.keys(EVENT_TYPES)) expect(type).toMatch(/^[a-z]+\.[a-z]+$/)
})
