import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type App, createApp, openApp } from '../../src/app.ts'
import type { Client } from '../../src/client/client.ts'
import type { Workflow } from '../../src/engine/port.ts'
import { temporaryFolder } from './folder.ts'

const TEMPLATES = join(import.meta.dirname, '../../templates')

/** Workflows that take no time: each ends, waits or hangs in its own way. */
export const TOYS: Readonly<Record<string, Workflow>> = {
  fine: async (run) => {
    const said = await run.step({ name: 'work', kind: 'scan', input: null }, async (step) => {
      step.summarize('did it')
      step.charge({ inputTokens: 10, outputTokens: 5, cachedInputTokens: 0, requests: 1 }, 0.25)
      return 'done'
    })
    return { status: 'succeeded', message: `It is ${said}.` }
  },
  red: async () => ({ status: 'failed', reason: 'gates', message: 'The gates said no.' }),
  broken: async () => ({ status: 'failed', reason: 'error', message: 'The provider is gone.' }),
  asks: async (run) => {
    const { approved, comment } = await run.approval('land', 'Shall it land?')
    return approved
      ? { status: 'succeeded', message: 'You said yes.' }
      : { status: 'failed', reason: 'gates', message: `You said no: ${comment}` }
  },
  hangs: async (run) => {
    await run.step({ name: 'wait', kind: 'scan', input: null }, async (step) => {
      await new Promise((_, reject) => step.signal.addEventListener('abort', () => reject(step.signal.reason as Error)))
      return null
    })
    return { status: 'succeeded' }
  },
}

export interface TestApp {
  /** One client of the product; several share the data folder, as processes do. */
  open(options?: { cwd?: string }): Client
  /** The product for callers of all kinds, as the daemon has it. */
  serve(): App
  home: string
}

/** The real product over a data folder of its own, with the toy workflows besides the built-in ones. */
export function testApp(
  project: string,
  env: Readonly<Record<string, string>> = {},
  workflows: Readonly<Record<string, Workflow>> = {},
): TestApp {
  const home = temporaryFolder('reeve-app-')
  const options = {
    // Machines without bubblewrap run these tests too, at what they have; tests of the rule itself take this away.
    env: { PATH: process.env['PATH'], HOME: home, REEVE_HOME: join(home, 'reeve'), REEVE_SANDBOX__MINIMUM: 'guarded', ...env },
    version: '1.2.3',
    self: [process.execPath] as const,
    templates: TEMPLATES,
    workflows: { ...TOYS, ...workflows },
  }
  return {
    home,
    open({ cwd = project } = {}) {
      const client = openApp({ ...options, cwd })
      onTestFinished(() => client.close())
      return client
    },
    serve() {
      const app = createApp(options)
      onTestFinished(() => app.close())
      return app
    },
  }
}

/** A `reeve.toml` with a provider that is never asked. */
export const TOY_CONFIG = '[providers.script]\nkind = "scripted"\nfile = "replies.yaml"\n'
export const TOY_FILES = {
  'reeve.toml': TOY_CONFIG,
  'replies.yaml': 'replies: [{ text: Done. }]\n',
  'package.json': '{"scripts":{"test":"node --test"}}',
}
