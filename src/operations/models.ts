import { basename } from 'node:path'
import { z } from 'zod'
import { problemOf, ReeveError } from '../core/errors.ts'
import { readHeader } from '../models/llamacpp/header.ts'
import { type AddedModel, MODEL_NAME, readModels, writeModels } from '../models/llamacpp/registry.ts'
import { pathOf } from './context.ts'
import { operation } from './operation.ts'

const modelSchema = z.object({
  name: z.string(),
  file: z.string(),
  architecture: z.string(),
  parameters: z.number(),
  contextTokens: z.number().nullable().describe('Tokens it was made for; null where its file does not say.'),
  sizeBytes: z.number(),
})

export const modelsAdd = operation({
  name: 'models.add',
  route: 'POST /api/v1/models',
  place: 'caller',
  summary: 'Remembers a GGUF file as a model with a name; the file stays where it is.',
  permission: 'models:write',
  who: 'user',
  effect: 'write',
  input: z.object({
    file: z.string().min(1).describe('The GGUF file.'),
    name: z.string().optional().describe("What it is called in settings; the file's own name when absent."),
  }),
  output: z.object({ model: modelSchema }),
  async handler(context, input) {
    const { folders } = context
    const file = pathOf(context, input.file, 'file')
    const name = input.name ?? nameOf(file)
    if (!MODEL_NAME.test(name)) {
      const problem = `"${name}" is no name of a model; letters, digits, ".", "_" and "-" are allowed, up to 64`
      throw new ReeveError('invalid_input', { problem: input.name === undefined ? `${problem}. Give one: --name <name>` : `${problem}.` })
    }
    const known = await readModels(folders.data)
    const other = known[name]
    if (other !== undefined && other.file !== file) throw new ReeveError('model_exists', { model: name, file: other.file })
    const model = await inspect(file)
    await writeModels(folders.data, { ...known, [name]: model })
    return { model: { name, ...model } }
  },
})

export const modelsList = operation({
  name: 'models.list',
  route: 'GET /api/v1/models',
  place: 'caller',
  summary: 'Lists the models that were added.',
  permission: 'models:read',
  effect: 'read',
  input: z.object({}),
  output: z.object({
    models: z.array(modelSchema.extend({ problem: z.string().nullable().describe('Why its file cannot be used now; null when it can.') })),
  }),
  async handler({ folders }) {
    const known = Object.entries(await readModels(folders.data)).toSorted(([a], [b]) => (a < b ? -1 : 1))
    const models = known.map(async ([name, model]) => {
      const problem = await inspect(model.file).then(
        () => null,
        (error: unknown) => problemOf(error),
      )
      return { name, ...model, problem }
    })
    return { models: await Promise.all(models) }
  },
})

export const modelsRemove = operation({
  name: 'models.remove',
  route: 'DELETE /api/v1/models/{name}',
  place: 'caller',
  summary: 'Forgets a model that was added; its file stays.',
  permission: 'models:write',
  who: 'user',
  effect: 'write',
  input: z.object({ name: z.string().min(1).describe('The name it was added with.') }),
  output: z.object({ name: z.string(), file: z.string() }),
  async handler({ folders }, { name }) {
    const known = await readModels(folders.data)
    const { [name]: model, ...rest } = known
    // `__proto__` is there in every object.
    if (model === undefined || !Object.hasOwn(known, name))
      throw new ReeveError('model_not_found', { model: name, known: Object.keys(rest).join(', ') || 'none' })
    await writeModels(folders.data, rest)
    return { name, file: model.file }
  },
})

/** What the file says of its model. Throws `file_not_found` or `invalid_model`. */
async function inspect(file: string): Promise<AddedModel> {
  try {
    const { architecture, contextTokens, parameters, sizeBytes } = await readHeader(file)
    return { file, architecture, contextTokens, parameters, sizeBytes }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new ReeveError('file_not_found', { path: file })
    throw new ReeveError('invalid_model', { path: file, problem: problemOf(error) })
  }
}

function nameOf(file: string): string {
  return basename(file).replace(/\.gguf$/i, '')
}
