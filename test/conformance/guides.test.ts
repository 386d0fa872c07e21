import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import { parseRole } from '../../src/agents/roles.ts'
import { type ProviderSettings, settingsSchema } from '../../src/core/settings.ts'
import { createProvider } from '../../src/models/create.ts'
import { parseReplies } from '../../src/models/scripted-file.ts'
import { temporaryFolder, writeFiles } from '../support/folder.ts'

/** The fenced blocks of one language in a guide. */
function blocks(guide: string, language: string): string[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs/guides', guide), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((it) => it[1] ?? '')
}

const KEYS = { ANTHROPIC_API_KEY: 'k', OPENAI_API_KEY: 'k', GEMINI_API_KEY: 'k', TEAM_GATEWAY_KEY: 'k' }

describe('what the guides show', () => {
  it.each(['providers.md', 'scripted-provider.md', 'local-models.md'])('each configuration of %s makes its providers', async (guide) => {
    const projectRoot = temporaryFolder()
    writeFiles(projectRoot, { 'replies.yaml': 'replies: [{ text: x }]' })
    const found = blocks(guide, 'toml')
    expect(found.length).toBeGreaterThan(0)
    for (const toml of found) {
      const { providers } = settingsSchema.parse(parse(toml))
      const { order, ...named } = providers as { order: string[] } & Record<string, ProviderSettings>
      for (const [name, settings] of Object.entries(named)) {
        const provider = await createProvider(name, settings, { env: KEYS, projectRoot })
        expect(provider.name).toBe(name)
      }
      expect(order.every((it) => it in named)).toBe(true)
    }
  })

  it('each file of replies can be read', () => {
    const found = blocks('scripted-provider.md', 'yaml')
    expect(found).toHaveLength(2)
    for (const yaml of found) expect(parseReplies(yaml, 'replies.yaml').length).toBeGreaterThan(0)
  })

  it('each role can be read', () => {
    const found = blocks('roles.md', 'yaml')
    expect(found).toHaveLength(1)
    for (const yaml of found)
      expect(parseRole(yaml, 'docs.yaml')).toMatchObject({ name: 'docs', permissions: { write: 'production', deny: ['src/**'] } })
  })
})
