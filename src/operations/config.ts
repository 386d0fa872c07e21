import { z } from 'zod'
import { leaves, printable } from '../config/load.ts'
import { isOwner } from '../core/actor.ts'
import { rootAround } from './checkouts.ts'
import { type Context, pathOf, projectOf, settingsOf } from './context.ts'
import { operation } from './operation.ts'
import { projectInput } from './shapes.ts'

const settingSchema = z.object({ key: z.string(), value: z.json(), origin: z.string() })

export const configShow = operation({
  name: 'config.show',
  route: 'GET /api/v1/config',
  place: 'caller',
  summary: 'Shows the settings in force, and where each comes from.',
  permission: 'config:read',
  effect: 'read',
  input: z.object({ project: projectInput }),
  output: z.object({ project: z.string().nullable(), settings: z.array(settingSchema), warnings: z.array(z.string()) }),
  async handler(context, input) {
    const root = await rootOrNull(context, input.project)
    const { settings, origins, warnings } = await settingsOf(context, root)
    const shown = leaves(settings)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ({
        key,
        value: harmless(context, key, value),
        origin: origins.get(key) ?? 'default',
      }))
    return { project: root, settings: shown, warnings }
  },
})

export const configValidate = operation({
  name: 'config.validate',
  route: 'POST /api/v1/config/validate',
  place: 'caller',
  summary: 'Checks all configuration files and variables.',
  permission: 'config:read',
  effect: 'read',
  input: z.object({ project: projectInput }),
  output: z.object({ ok: z.literal(true), project: z.string().nullable(), warnings: z.array(z.string()) }),
  async handler(context, input) {
    const root = await rootOrNull(context, input.project)
    const { warnings } = await settingsOf(context, root)
    return { ok: true as const, project: root, warnings }
  },
})

/** Addresses that let in whoever knows them, as those of chats do. */
const ADDRESSES = /^webhooks\..*\.url$|^telemetry\.otlp_endpoint$|^network\.proxy$/

/** What is secret by its name or by its value is not shown. */
function harmless(context: Context, key: string, value: unknown): z.output<typeof settingSchema>['value'] {
  if (ADDRESSES.test(key) && !isOwner(context.caller)) return '[redacted]'
  const it = printable(key, value)
  return typeof it === 'string' ? context.secrets.redact(it) : (it as z.output<typeof settingSchema>['value'])
}

/** Outside a repository there are still the user's own settings. A folder that was named must be in one, though. */
async function rootOrNull(context: Context, path: string | undefined): Promise<string | null> {
  return path === undefined ? rootAround(pathOf(context, undefined)) : (await projectOf(context, path)).root
}
