import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { canonicalJson, parseJson } from '../core/json.ts'
import { findingSchema, gateStatusSchema } from '../core/verdict.ts'

/** What is kept of a measurement of the base. */
const storedSchema = z.object({
  status: gateStatusSchema,
  exitCode: z.number().nullable(),
  durationMs: z.number(),
  findings: z.array(findingSchema),
  cases: z
    .array(
      z.object({
        name: z.string(),
        file: z.string().nullable(),
        line: z.number().nullable(),
        status: z.enum(['passed', 'failed', 'skipped']),
        failure: z.enum(['assertion', 'error']).nullable(),
        message: z.string(),
      }),
    )
    .nullable(),
})
export type StoredMeasurement = z.infer<typeof storedSchema>

const entrySchema = z.object({ format: z.literal(1), key: z.string(), measurement: storedSchema })

// A few hundred bases times gates; the oldest go first.
const MAX_ENTRIES = 200

/** The key of a base result: everything it depends on, as data. */
export function cacheKey(parts: unknown): string {
  return createHash('sha256').update(canonicalJson(parts)).digest('hex')
}

/** A kept result, or null: missing, of another version, or not readable. Never throws. */
export async function readCached(folder: string, key: string): Promise<StoredMeasurement | null> {
  try {
    const entry = entrySchema.parse(parseJson(await readFile(join(folder, `${key}.json`), 'utf8'), key))
    return entry.key === key ? entry.measurement : null
  } catch {
    return null
  }
}

/** Keeps a result, whole or not at all. A cache that cannot be written is no reason to fail: never throws. */
export async function writeCached(folder: string, key: string, measurement: StoredMeasurement): Promise<void> {
  const temporary = join(folder, `.${key}.${randomBytes(6).toString('hex')}`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(temporary, JSON.stringify({ format: 1, key, measurement }), { mode: 0o600 })
    await rename(temporary, join(folder, `${key}.json`))
    await trim(folder)
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined)
  }
}

async function trim(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((it) => it.endsWith('.json'))
  if (names.length <= MAX_ENTRIES) return
  const dated = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })))
  const old = dated.toSorted((a, b) => a.at - b.at).slice(0, names.length - MAX_ENTRIES)
  for (const { name } of old) await rm(join(folder, name), { force: true })
}
