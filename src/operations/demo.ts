import { join } from 'node:path'
import { z } from 'zod'
import { levelName } from '../core/isolation.ts'
import { settingsSchema } from '../core/settings.ts'
import { searchPath } from '../process/env.ts'
import { stream } from './operation.ts'

const line = z.discriminatedUnion('type', [
  z.object({ type: z.literal('said'), text: z.string() }),
  z.object({ type: z.literal('stage'), name: z.string(), happened: z.boolean(), text: z.string() }),
  z.object({ type: z.literal('done'), ok: z.boolean(), folder: z.string().nullable() }),
])

export const demoRun = stream({
  name: 'demo.run',
  route: 'POST /api/v1/demo',
  place: 'caller',
  summary: 'Takes a small task through everything, with scripted replies: no key, no network.',
  permission: 'runs:write',
  who: 'user',
  effect: 'write',
  input: z.object({ keep: z.boolean().default(false).describe("Leave the demo's folder for a look.") }),
  events: line,
  async *handler(context, input, signal) {
    const { runDemo } = await import('./demo/demo.ts')
    const passed = Object.fromEntries(
      ['HOME', 'LANG', 'USER', 'TMPDIR'].flatMap((name) => (context.env[name] === undefined ? [] : [[name, context.env[name]]])),
    )
    const env = { ...passed, PATH: searchPath(context.env) }
    const { report } = await context.kit.sandbox(settingsSchema.parse({}))
    const isolation = { level: levelName(report.level), by: report.by }
    yield* runDemo({ templates: join(context.templates, 'demo'), reeve: context.self, env, isolation, keep: input.keep }, signal)
  },
})
