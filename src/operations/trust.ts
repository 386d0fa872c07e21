import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Consent } from '../config/consent.ts'
import { ReeveError } from '../core/errors.ts'
import { parseJson } from '../core/json.ts'
import { type Context, projectOf, settingsOf } from './context.ts'
import { operation } from './operation.ts'
import { projectInput } from './shapes.ts'

/** Project root -> hashes of what its user has consented to. */
const trustSchema = z.record(z.string(), z.array(z.string()))

function trustFile(context: Pick<Context, 'folders'>): string {
  return join(context.folders.state, 'trust.json')
}

async function readTrust(context: Pick<Context, 'folders'>): Promise<z.output<typeof trustSchema>> {
  const path = trustFile(context)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}'
    throw error
  })
  const parsed = trustSchema.safeParse(parseJson(text, path))
  // What cannot be read is no consent.
  return parsed.success ? parsed.data : {}
}

/** `reeve.toml:5: provider "x" sends the key in K to https://…`. */
export function consentSentence(it: Consent): string {
  return `${it.where}: provider "${it.provider}" ${it.what}`
}

/** What the user has not consented to yet. */
export async function untrusted(context: Pick<Context, 'folders'>, root: string, consents: readonly Consent[]): Promise<Consent[]> {
  if (consents.length === 0) return []
  const known = (await readTrust(context))[root] ?? []
  return consents.filter((it) => !known.includes(it.hash))
}

/** Throws `not_trusted` with what would be sent where. */
export async function checkTrust(context: Pick<Context, 'folders'>, root: string, consents: readonly Consent[]): Promise<void> {
  const open = await untrusted(context, root, consents)
  if (open.length > 0) throw new ReeveError('not_trusted', { what: open.map(consentSentence).join('\n') })
}

/** Remembers that the user has consented to these as well. */
export async function addTrust(context: Pick<Context, 'folders'>, root: string, consents: readonly Consent[]): Promise<void> {
  if (consents.length === 0) return
  const known = await readTrust(context)
  await writeTrust(context, { ...known, [root]: [...new Set([...(known[root] ?? []), ...consents.map((it) => it.hash)])] })
}

export const projectTrust = operation({
  name: 'project.trust',
  route: 'POST /api/v1/projects/trust',
  place: 'caller',
  summary: "Lets this project's providers do what its reeve.toml says of them, until it says something else.",
  permission: 'projects:write',
  who: 'user',
  effect: 'write',
  input: z.object({ project: projectInput }),
  output: z.object({
    project: z.string(),
    trusted: z.array(z.object({ provider: z.string(), where: z.string(), what: z.string() })),
  }),
  async handler(context, input) {
    const { root } = await projectOf(context, input.project)
    const { consents } = await settingsOf(context, root)
    await writeTrust(context, { ...(await readTrust(context)), [root]: consents.map((it) => it.hash) })
    return { project: root, trusted: consents.map(({ provider, where, what }) => ({ provider, where, what })) }
  },
})

/** A reader sees the old file or the new one, never half of it. */
async function writeTrust(context: Pick<Context, 'folders'>, trust: z.output<typeof trustSchema>): Promise<void> {
  const path = trustFile(context)
  await mkdir(context.folders.state, { recursive: true, mode: 0o700 })
  const half = `${path}.${process.pid}.new`
  await writeFile(half, `${JSON.stringify(trust, null, 2)}\n`, { mode: 0o600 })
  await rename(half, path)
}
