import type { Report, Sums } from '../../operations/costs.ts'
import type { CommandRun } from '../command-spec.ts'
import { count, money } from '../figures.ts'
import { answer, type Io } from '../io.ts'
import { oneLine, pad, table } from '../text.ts'

export const cost: CommandRun = async (io, _args, options) => {
  const report = await (await io.client()).call('costs.report', {
    all: options['all'] === true,
    ...(options['run'] === undefined ? {} : { run: options['run'] as string }),
    ...(options['since'] === undefined ? {} : { since: options['since'] as string }),
    ...(options['by'] === undefined ? {} : { by: options['by'] as Report['by'] }),
  })
  answer(io, report, () => (report.rows.length === 0 ? [nothing(options)] : lines(io, report)))
  return 0
}

type Row = Report['rows'][number]

function nothing(options: Readonly<Record<string, unknown>>): string {
  if (options['run'] !== undefined) return 'No model was asked in this run.'
  return options['since'] === undefined
    ? 'Nothing was used yet. Begin with: reeve run "..."'
    : `Nothing was used since ${options['since'] as string}.`
}

const NAMES: Record<Report['by'], string> = {
  provider: 'PROVIDER',
  model: 'MODEL',
  role: 'ROLE',
  task: 'TASK',
  day: 'DAY',
  step: 'STEP',
  run: 'RUN',
}

function lines(io: Io, report: Report): string[] {
  const { by, rows, total } = report
  const head = [NAMES[by], 'CALLS', 'INPUT', 'CACHED', 'OUTPUT', 'COST']
  const body = rows.map((it) => [labelOf(it), ...figures(it)])
  const all = aligned([head, ...body, ['total', ...figures(total)]])
  const [first = '', ...rest] = table(all, io.columns(), 0)
  const last = rest.pop() ?? ''
  return [io.paint('dim', first), ...rest, ...(rows.length > 1 ? [io.paint('bold', last)] : []), ...notes(io, total)]
}

function labelOf({ key, title }: Row): string {
  const label = title === null ? key : `${key} · ${title}`
  return key === '' ? '(not known)' : oneLine(label)
}

function figures({ usage, known, unknown }: Sums): string[] {
  const { requests, inputTokens, cachedInputTokens, outputTokens } = usage
  return [count(requests), count(inputTokens), count(cachedInputTokens), count(outputTokens), sumOf(known, unknown)]
}

/** Unknown is not free: a sum that lacks something says so. */
function sumOf(known: number, unknown: number): string {
  if (unknown === 0) return money(known)
  return known === 0 ? 'unknown' : `${money(known)} + unknown`
}

/** Figures stand below each other; the last column is left as it is, so that "+ unknown" does not move the money. */
function aligned(rows: readonly (readonly string[])[]): string[][] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  return rows.map((row) => row.map((cell, at) => (at === 0 || at === row.length - 1 ? cell : pad(cell, widths[at] ?? 0, 'right'))))
}

function notes(io: Io, { unknown, reserved }: Sums): string[] {
  return [
    ...(reserved > 0 ? [io.paint('dim', `${money(reserved)} more is reserved by steps at work.`)] : []),
    ...(unknown > 0
      ? [
          io.paint(
            'dim',
            `The cost of ${unknown} ${unknown === 1 ? 'call or step' : 'calls or steps'} is not known; a price can be set in [prices].`,
          ),
        ]
      : []),
  ]
}
