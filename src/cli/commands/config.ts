import type { CommandRun } from '../command-spec.ts'
import { answer, type Io } from '../io.ts'
import { oneLine, table } from '../text.ts'

export const configShow: CommandRun = async (io) => {
  const shown = await (await io.client()).call('config.show', {})
  const rows = shown.settings.map((it) => [it.key, oneLine(JSON.stringify(it.value)), it.origin])
  answer(io, shown, () => [
    ...table([['KEY', 'VALUE', 'FROM'], ...rows], io.columns(), 1).map((line, at) =>
      at === 0 || line.endsWith(' default') ? io.paint('dim', line) : line,
    ),
    ...warningLines(io, shown.warnings),
  ])
  return 0
}

export const configValidate: CommandRun = async (io) => {
  const checked = await (await io.client()).call('config.validate', {})
  answer(io, checked, () => ['The configuration is valid.', ...warningLines(io, checked.warnings)])
  return 0
}

export function warningLines(io: Pick<Io, 'paint'>, warnings: readonly string[]): string[] {
  return warnings.map((it) => `${io.paint('yellow', 'warning:')} ${oneLine(it)}`)
}
