import { z } from 'zod'
import { makeKey } from '../access/api-key.ts'
import { ACCESS_ROLES } from '../core/actor.ts'
import { ReeveError } from '../core/errors.ts'
import type { ApiKey } from '../store/keys.ts'
import { type Context, projectOf } from './context.ts'
import { durationMs } from './durations.ts'
import { operation } from './operation.ts'

const keySchema = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(ACCESS_ROLES),
  projects: z.array(z.string()).nullable().describe('Roots of the projects it may see; null: all.'),
  createdAt: z.number().describe('Epoch ms, as are the other times.'),
  createdBy: z.string(),
  expiresAt: z.number().nullable().describe('Null: never.'),
  lastUsedAt: z.number().nullable().describe('To the minute; null: not yet.'),
  state: z.enum(['live', 'expired', 'revoked']),
})

// Such as a program is called; it stands in records as `key:<name>`.
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
// Whoever forgets a key has forgotten it by then.
const USUAL = '90d'
const LONGEST = '3650d'

export const keysAdd = operation({
  name: 'keys.add',
  route: 'POST /api/v1/keys',
  place: 'caller',
  summary: 'Makes an API key for a program. Its value is in this answer and never shown again.',
  permission: 'keys:admin',
  effect: 'write',
  input: z.object({
    name: z
      .string()
      .regex(NAME, 'letters, digits, ".", "_" and "-", at most 64, beginning with a letter or digit')
      .describe('For records.'),
    role: z.enum(ACCESS_ROLES).default('viewer').describe('What it may do: read; start, stop and decide too; everything.'),
    projects: z.array(z.string()).default([]).describe('The only projects it may see; the one the caller is in when absent.'),
    all_projects: z.boolean().default(false).describe('It may see all projects, those to come too.'),
    expires: z.string().default(USUAL).describe('When it ends: "12h", "30d", "8w", or "never".'),
  }),
  output: z.object({ key: keySchema, value: z.string().describe('What the program sends: Authorization: Bearer <value>.') }),
  async handler(context, input) {
    const projects = await scopeFor(context, input)
    const expiresInMs = lifeOf(input.expires)
    const { id, value, digest } = makeKey()
    const store = await context.store()
    const key = await store.access.addKey({
      id,
      digest,
      name: input.name,
      role: input.role,
      projects,
      createdBy: context.actor,
      expiresInMs,
    })
    if (key === null)
      throw new ReeveError('invalid_input', { problem: `there is a live key "${input.name}" already; revoke it, or take another name` })
    return { key: viewOf(key), value }
  },
})

export const keysList = operation({
  name: 'keys.list',
  route: 'GET /api/v1/keys',
  place: 'caller',
  summary: 'Lists the API keys: what each may do, until when, and when it was used last. Never their values.',
  permission: 'keys:read',
  effect: 'read',
  input: z.object({ all: z.boolean().default(false).describe('Also expired and revoked ones.') }),
  output: z.object({ keys: z.array(keySchema) }),
  async handler(context, input) {
    const keys = await (await context.store()).access.listKeys()
    return { keys: keys.filter((it) => input.all || it.state === 'live').map(viewOf) }
  },
})

export const keysRevoke = operation({
  name: 'keys.revoke',
  route: 'DELETE /api/v1/keys/{key}',
  place: 'caller',
  summary: 'Ends an API key at once.',
  permission: 'keys:admin',
  effect: 'destructive',
  input: z.object({ key: z.string().min(1).describe('Its name or its id.') }),
  output: z.object({ key: keySchema }),
  async handler(context, input) {
    const store = await context.store()
    const known = (await store.access.listKeys()).filter((it) => it.state !== 'revoked')
    // A name may have been given again: the live one is meant.
    const meant = known.find((it) => it.id === input.key) ?? known.find((it) => it.name === input.key && it.state === 'live')
    const found = meant ?? known.find((it) => it.name === input.key)
    const revoked = found === undefined ? null : await store.access.revokeKey(found.id)
    if (revoked === null) throw new ReeveError('key_not_found', { key: input.key })
    return { key: viewOf(revoked) }
  },
})

async function scopeFor(context: Context, input: { role: string; projects: string[]; all_projects: boolean }): Promise<string[] | null> {
  if (input.all_projects && input.projects.length > 0) {
    throw new ReeveError('invalid_input', { problem: 'a key is for the named projects or for all of them; say one' })
  }
  if (input.all_projects) return null
  // What an admin may do reaches over all projects: other keys, models, commands without a sandbox.
  if (input.role === 'admin')
    throw new ReeveError('invalid_input', { problem: 'a key of the role admin is for all projects (--all-projects)' })
  const asked = input.projects.length === 0 ? [undefined] : input.projects
  const roots = await Promise.all(asked.map(async (it) => (await projectOf(context, it)).root))
  return [...new Set(roots)]
}

function lifeOf(text: string): number | null {
  if (text === 'never') return null
  const ms = durationMs(text)
  if (ms !== null && ms > 0 && ms <= (durationMs(LONGEST) ?? 0)) return ms
  throw new ReeveError('invalid_input', { problem: `expires is "${text}"; allowed: 12h, 30d, 8w and the like up to ${LONGEST}, or never` })
}

function viewOf({ projects, ...key }: ApiKey): z.input<typeof keySchema> {
  return { ...key, projects: projects === null ? null : [...projects] }
}
