import type { OutputOf } from '../../client/client.ts'
import type { CommandRun } from '../command-spec.ts'
import { duration } from '../figures.ts'
import { answer, type Io } from '../io.ts'
import { oneLine, table } from '../text.ts'

// What an agent gets at first sight.
const MAP_TOKENS = 2000

export const scan: CommandRun = async (io, args, options) => {
  const [path] = args
  const map = options['map'] === true || io.json
  const found = await (await io.client()).call('scanner.scan', {
    ...(path === undefined ? {} : { path: io.resolve(path) }),
    // A program gets everything; a person asks for it.
    symbols: io.json || options['symbols'] === true,
    ...(map ? { map: MAP_TOKENS } : {}),
  })
  answer(io, found, () => page(io, found))
  return 0
}

function page(io: Io, scan: OutputOf<'scanner.scan'>): string[] {
  const bold = (text: string) => io.paint('bold', text)
  const dim = (text: string) => io.paint('dim', text)
  const languages = scan.languages.map((it) => [it.name, `${it.percent.toFixed(1)} %`, `${it.files} files`, `${it.lines} lines`])
  const commands = scan.commands.map((it) => [it.gate, it.cwd === '.' ? '' : oneLine(it.cwd), oneLine(it.command), oneLine(it.reason)])
  return [
    bold('Languages'),
    ...(languages.length > 0 ? indented(table(languages, io.columns() - 2, 0)) : ['  none found']),
    ...namedLines(io, 'Frameworks', scan.frameworks),
    ...namedLines(
      io,
      'Package managers',
      scan.packageManagers.map((it) => ({ name: it.name, reason: it.lockfile === null ? `${it.reason} (no lockfile)` : it.reason })),
    ),
    ...namedLines(io, 'Test frameworks', scan.tests.frameworks),
    bold('Tests'),
    `  ${scan.tests.layout === '' ? `${scan.tests.files.length} test files` : oneLine(scan.tests.layout)}`,
    bold('Commands'),
    ...(commands.length > 0
      ? indented(table([['GATE', 'IN', 'COMMAND', 'BECAUSE'], ...commands], io.columns() - 2, 3))
      : ['  none found; add them to reeve.toml, for example: [gates.tests] command = "..."']),
    ...(scan.symbols === null ? [] : [bold('Symbols'), ...indented(symbolLines(io, scan.symbols))]),
    ...(scan.map === null ? [] : [bold('Map'), ...indented(scan.map.split('\n').map(oneLineKeepingIndent))]),
    dim(
      `${scan.files} files read in ${duration(scan.durationMs)}${scan.skipped.length > 0 ? `, ${scan.skipped.length} left out (--json tells why)` : ''}`,
    ),
  ]
}

function symbolLines(io: Io, symbols: NonNullable<OutputOf<'scanner.scan'>['symbols']>): string[] {
  return table(
    symbols.map((it) => [it.kind, oneLine(it.name), oneLine(`${it.file}:${it.line}`)]),
    io.columns() - 2,
    1,
  )
}

function oneLineKeepingIndent(line: string): string {
  return `${/^ */.exec(line)?.[0] ?? ''}${oneLine(line)}`
}

function namedLines(io: Io, title: string, items: readonly { name: string; reason: string }[]): string[] {
  return items.length === 0
    ? []
    : [io.paint('bold', title), ...items.map((it) => `  ${oneLine(it.name)} ${io.paint('dim', oneLine(it.reason))}`)]
}

function indented(lines: readonly string[]): string[] {
  return lines.map((it) => `  ${it}`)
}
