import type { CommandRun } from '../command-spec.ts'
import { count } from '../figures.ts'
import { answer, remark } from '../io.ts'
import { oneLine, table } from '../text.ts'

export const modelsAdd: CommandRun = async (io, [file = ''], { name }) => {
  const added = await (await io.client()).call('models.add', { file: io.resolve(file), ...(typeof name === 'string' ? { name } : {}) })
  answer(io, added, () => {
    const { model } = added
    const context = model.contextTokens === null ? 'context unknown' : `context of ${model.contextTokens} tokens`
    return [
      `${model.name}: ${model.architecture || 'unknown architecture'}, ${count(model.parameters)} parameters, ${size(model.sizeBytes)}, ${context}.`,
      oneLine(`Its file stays where it is: ${model.file}`),
      `To work with it, in your configuration: [providers.local] kind = "llamacpp", file = "${model.name}"`,
    ]
  })
  return 0
}

export const modelsList: CommandRun = async (io) => {
  const { models } = await (await io.client()).call('models.list', {})
  const rows = models.map((it) => [
    it.name,
    it.architecture,
    count(it.parameters),
    size(it.sizeBytes),
    it.contextTokens === null ? '' : String(it.contextTokens),
    oneLine(it.problem ?? it.file),
  ])
  if (models.length === 0 && !io.json) remark(io, 'No model was added. Add one: reeve models add <file>')
  answer(io, models, () => {
    if (models.length === 0) return []
    const [head = '', ...body] = table([['MODEL', 'ARCHITECTURE', 'PARAMETERS', 'SIZE', 'CONTEXT', 'FILE'], ...rows], io.columns(), 5)
    return [io.paint('dim', head), ...body.map((line, at) => (models[at]?.problem === null ? line : io.paint('yellow', line)))]
  })
  return 0
}

export const modelsRemove: CommandRun = async (io, [name = '']) => {
  const removed = await (await io.client()).call('models.remove', { name })
  answer(io, removed, () => [oneLine(`${removed.name} is forgotten; its file stays: ${removed.file}`)])
  return 0
}

function size(bytes: number): string {
  const mb = bytes / 1024 / 1024
  return mb < 1024 ? `${mb.toFixed(1)} MB` : `${(mb / 1024).toFixed(1)} GB`
}
