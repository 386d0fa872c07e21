import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import { createAgent } from '../../src/agents/create.ts'
import { parseRole } from '../../src/agents/roles.ts'
import { NO_REDACTION } from '../../src/core/redact.ts'
import { MODEL_KINDS, type ProviderSettings, settingsSchema } from '../../src/core/settings.ts'
import { createProvider } from '../../src/models/create.ts'
import { PROVIDER_ERROR_CLASSES } from '../../src/models/port.ts'
import { parseReplies } from '../../src/models/scripted-file.ts'
import { temporaryFolder, writeFiles } from '../support/folder.ts'

const GUIDES = join(import.meta.dirname, '../../docs/guides')

/** The fenced blocks of one language in a guide. */
function blocks(guide: string, language: string): string[] {
  const text = readFileSync(join(GUIDES, guide), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((it) => it[1] ?? '')
}

const KEYS = {
  ANTHROPIC_API_KEY: 'k',
  OPENAI_API_KEY: 'k',
  GEMINI_API_KEY: 'k',
  TEAM_GATEWAY_KEY: 'k',
  TEAM_ANTHROPIC_KEY: 'k',
  LOCALAI_API_KEY: 'k',
  DASHSCOPE_API_KEY: 'k',
  CURSOR_API_KEY: 'k',
  MY_AGENT_TOKEN: 'k',
}

describe('what the guides show', () => {
  const pages = globSync('providers/*.md', { cwd: GUIDES })
  it.each([
    'providers.md',
    'scripted-provider.md',
    'local-models.md',
    'cli-agents.md',
    'metering.md',
    'plugins.md',
    'recording.md',
    'costs.md',
    ...pages,
  ])('each configuration of %s makes its providers', async (guide) => {
    const projectRoot = temporaryFolder()
    writeFiles(projectRoot, { 'replies.yaml': 'replies: [{ text: x }]' })
    const found = blocks(guide, 'toml')
    expect(found.length).toBeGreaterThan(0)
    for (const toml of found) {
      const { providers } = settingsSchema.parse(parse(toml))
      const { order, ...named } = providers as { order: string[] } & Record<string, ProviderSettings>
      for (const [name, settings] of Object.entries(named)) {
        if (settings.kind === 'plugin' || settings.kind === 'replay') continue // its file is the reader's
        if (MODEL_KINDS.some((it) => it === settings.kind)) {
          expect((await createProvider(name, settings, { env: KEYS, projectRoot })).name).toBe(name)
          continue
        }
        const whole = settingsSchema.parse(parse(toml))
        const agent = await createAgent(name, settings, whole, { env: KEYS, home: projectRoot, projectRoot, redaction: NO_REDACTION })
        expect(agent.provider).toBe(name)
      }
      expect(order.every((it) => it in named)).toBe(true)
    }
  })

  it('every class of failure has its line, and what to do about it', () => {
    const [table, help] = ['providers.md', 'troubleshooting.md'].map((it) => readFileSync(join(GUIDES, it), 'utf8'))
    for (const kind of PROVIDER_ERROR_CLASSES) {
      expect(table).toContain(`\n| \`${kind}\` `)
      expect(help).toMatch(new RegExp(`\n## (.*, )?\`${kind}\``))
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
