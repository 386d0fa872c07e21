import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ReeveError } from '../../core/errors.ts'
import { parseJson } from '../../core/json.ts'

const addedModel = z.object({
  /** Absolute. The file stays where it is. */
  file: z.string(),
  architecture: z.string(),
  contextTokens: z.number().nullable(),
  parameters: z.number(),
  sizeBytes: z.number(),
})
const registrySchema = z.record(z.string(), addedModel)

/** A model that was added by name. */
export type AddedModel = z.output<typeof addedModel>
export type AddedModels = z.output<typeof registrySchema>

export const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** The models of this user by name, from `models.json` in the data folder. Throws `invalid_config` when somebody has broken it. */
export async function readModels(dataDir: string): Promise<AddedModels> {
  const path = modelsFile(dataDir)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}'
    throw error
  })
  const parsed = registrySchema.safeParse(parseJson(text, path))
  if (!parsed.success)
    throw new ReeveError('invalid_config', { where: path, problem: 'it is no list of models; remove it, then add them again' })
  return parsed.data
}

/** A reader sees the old file or the new one, never half of it. */
export async function writeModels(dataDir: string, models: AddedModels): Promise<void> {
  const path = modelsFile(dataDir)
  await mkdir(dataDir, { recursive: true })
  const half = `${path}.${process.pid}.new`
  await writeFile(half, `${JSON.stringify(models, null, 2)}\n`)
  await rename(half, path)
}

function modelsFile(dataDir: string): string {
  return join(dataDir, 'models.json')
}
