import type { OutputOf } from '../../client/client.ts'
import { forRunner } from '../../core/hostile-text.ts'
import type { CommandRun } from '../command-spec.ts'
import { answer, type Io } from '../io.ts'
import { oneLine, safe } from '../text.ts'

export const diff: CommandRun = async (io, args, options) => {
  const patch = options['stat'] !== true
  const found = await (await io.client()).call('runs.diff', { run: args[0] ?? '', patch })
  if (patch && !io.json && !io.tty && found.files.length > 0) {
    io.out(forPipe(io, found.patch))
    return 0
  }
  answer(io, found, () => {
    if (found.files.length === 0) return ['Nothing has been changed yet.']
    return patch ? patchLines(io, found.patch) : statLines(io, found.files)
  })
  return 0
}

/** For a pipe exactly what git can apply; but a CI runner obeys lines of what is printed, so there only `--json` is exact. */
function forPipe({ env }: Io, patch: string): string {
  return env['GITHUB_ACTIONS'] || env['TF_BUILD'] || env['TEAMCITY_VERSION'] ? forRunner(patch) : patch
}

/** For a terminal painted, and harmless. */
function patchLines(io: Io, patch: string): string[] {
  return patch
    .replace(/\n$/, '')
    .split('\n')
    .map((it) => painted(io, safe(it)))
}

function painted(io: Io, line: string): string {
  if (line.startsWith('diff ') || line.startsWith('+++') || line.startsWith('---')) return io.paint('bold', line)
  if (line.startsWith('@@')) return io.paint('cyan', line)
  if (line.startsWith('+')) return io.paint('green', line)
  return line.startsWith('-') ? io.paint('red', line) : line
}

function statLines(io: Io, files: OutputOf<'runs.diff'>['files']): string[] {
  const added = files.reduce((sum, it) => sum + it.added, 0)
  const removed = files.reduce((sum, it) => sum + it.removed, 0)
  return [
    ...files.map(
      (it) =>
        `${it.status.padEnd(8)} ${oneLine(it.path)} ${it.opaque ? '(binary or link)' : `${io.paint('green', `+${it.added}`)} ${io.paint('red', `-${it.removed}`)}`}`,
    ),
    io.paint('dim', `${files.length} ${files.length === 1 ? 'file' : 'files'}, +${added} -${removed}`),
  ]
}
