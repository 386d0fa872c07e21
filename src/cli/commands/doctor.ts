import type { OutputOf } from '../../client/client.ts'
import type { CommandRun } from '../command-spec.ts'
import { answer, type Io } from '../io.ts'
import { mark } from '../live/frame.ts'
import { oneLine, pad, safe, width } from '../text.ts'

const MARKS = { ok: 'passed', warning: 'warning', missing: 'failed' } as const

export const doctor: CommandRun = async (io, _args, options) => {
  const report = options['report'] as string | true | undefined
  if (report !== undefined) return (await import('./doctor-report.ts')).doctorReport(io, report)
  const found = await (await io.client()).call('doctor.check', {})
  answer(io, { reeve: io.version, ...found }, () => [
    `reeve ${io.version}`,
    ...found.checks.flatMap((it) => checkLines(io, it)),
    ...(found.isolation === null ? [] : ['', ...isolationLines(io, found.isolation), '']),
    found.ok ? 'All that is needed is there.' : io.paint('red', 'Something that is needed is missing.'),
  ])
  return found.ok ? 0 : 3
}

const HEAD = 26 // mark, subject, name

/** Details are wrapped; hints hold commands to copy, and stay whole. */
function checkLines(io: Io, it: OutputOf<'doctor.check'>['checks'][number]): string[] {
  const [first = '', ...more] = safe(it.detail)
    .split('\n')
    .flatMap((line) => wrapped(line, io.columns() - HEAD))
  return [
    `${mark(io, MARKS[it.status])} ${pad(it.about, 8)} ${pad(oneLine(it.name), 14)} ${first}`,
    ...more.map((line) => ' '.repeat(HEAD) + line),
    ...(it.hint === null ? [] : [io.paint('dim', `    ${oneLine(it.hint)}`)]),
  ]
}

type Isolation = NonNullable<OutputOf<'doctor.check'>['isolation']>
type Hold = Isolation['holds'][number]

const GRIPS = { kernel: 'kernel', watched: 'watched', 'per-process': 'per process', none: 'none' } as const
const STYLES = { kernel: 'green', watched: 'yellow', 'per-process': 'yellow', none: 'red' } as const
const GRIP = 11 // `per process`

/** What holds programs of runs on this machine: attacks first, then limits, each with who holds it and why. */
function isolationLines(io: Io, { holds }: Isolation): string[] {
  if (holds.length === 0) return [`${io.paint('bold', 'Programs of runs')} are held by nothing: they may do what you may.`]
  const names = Math.max(...holds.map((it) => width(oneLine(it.name))))
  const part = (title: string, about: Hold['about']) => {
    const rows = holds.filter((it) => it.about === about)
    return rows.length === 0 ? [] : [io.paint('bold', title), ...rows.flatMap((it) => holdLines(io, it, names))]
  }
  const attacks = part('What programs of runs are kept from, and by whom', 'attack')
  const open = `${io.paint('bold', 'Programs of runs')} are kept from nothing: they read, write and reach what you may.`
  return [...(attacks.length === 0 ? [open] : attacks), ...part('What limits them, and who sees to it', 'limit')]
}

function holdLines(io: Io, it: Hold, names: number): string[] {
  const left = 2 + GRIP + 2 + names + 2
  const [first = '', ...more] = wrapped(oneLine(it.reason), Math.max(20, io.columns() - left))
  const head = `  ${io.paint(STYLES[it.grip], pad(GRIPS[it.grip], GRIP))}  ${pad(oneLine(it.name), names)}`
  return [`${head}  ${io.paint('dim', first)}`.trimEnd(), ...more.map((line) => ' '.repeat(left) + io.paint('dim', line))]
}

/** A text in lines of at most so many columns, broken between words. */
function wrapped(text: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && width(last) + 1 + width(word) <= columns) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
