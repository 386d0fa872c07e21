import { ReeveError } from '../../core/errors.ts'
import type { CommandRun } from '../command-spec.ts'
import { answer, type Io } from '../io.ts'
import { oneLine } from '../text.ts'

const MB = 1024 * 1024

export const backup: CommandRun = async (io, args) => {
  const made = await (await io.client()).call('state.backup', { folder: io.resolve(args[0] ?? '') })
  answer(io, made, () => [
    `The backup is in ${oneLine(made.folder)}: ${made.files} files, ${size(made.bytes)}, ${runs(made.unfinished)} in it had not ended.`,
    io.paint('dim', `To see whether it can be restored: reeve restore --check ${asWord(oneLine(made.folder))}`),
  ])
  return 0
}

export const restore: CommandRun = async (io, args, options) => {
  const folder = io.resolve(args[0] ?? '')
  const check = options['check'] === true
  if (!check && options['yes'] !== true && !(await isSure(io, folder))) {
    throw new ReeveError('invalid_input', { problem: 'Nothing was restored. To do it without being asked: --yes' })
  }
  const done = await (await io.client()).call('state.restore', { folder, check })
  const what = `The backup of ${done.createdAt} by reeve ${done.reeve}`
  answer(io, done, () => {
    if (!done.restored) return [`${what} is whole and can be restored: ${done.files} files, ${size(done.bytes)}.`]
    return [
      `${what} is restored.`,
      ...(done.at_work === 0 ? [] : [`${runs(done.at_work)} at work when it was made: each begins its step again.`]),
      ...(done.before === null ? [] : [`What was there before is kept in ${oneLine(done.before)}.`]),
      io.paint('dim', 'API keys that were revoked since are valid again: reeve keys list'),
    ]
  })
  return 0
}

async function isSure(io: Io, folder: string): Promise<boolean> {
  if (!io.interactive) return false
  const question = `Replace the state of reeve, with all its runs, by the backup ${oneLine(folder)}? [y/N] `
  return /^y(?:es)?$/i.test((await io.ask(question, new AbortController().signal))?.trim() ?? '')
}

function size(bytes: number): string {
  return bytes < MB ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / MB).toFixed(1)} MB`
}

function runs(count: number): string {
  return `${count} ${count === 1 ? 'run' : 'runs'}`
}

/** As a shell reads it. */
function asWord(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
