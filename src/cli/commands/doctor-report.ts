import { writeFile } from 'node:fs/promises'
import { problemOf, ReeveError } from '../../core/errors.ts'
import { answer, type Io } from '../io.ts'
import { oneLine } from '../text.ts'

/** Writes the report to a new file that only its owner may read. `wanted`: its name; true: one that says when it was made. */
export async function doctorReport(io: Io, wanted: string | true): Promise<number> {
  const stamp = new Date(io.now()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
  const file = io.resolve(wanted === true ? `reeve-report-${stamp}.md` : wanted)
  const { report } = await (await io.client()).call('doctor.report', {})
  try {
    await writeFile(file, report, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    throw new ReeveError('environment', { problem: `The report "${file}" cannot be written: ${problemOf(error)}` }, { cause: error })
  }
  answer(io, { file }, () => [
    `The report is in ${oneLine(file)}.`,
    io.paint('dim', 'Secrets were taken out, and there is no source, task or answer of a model in it. Read it before you send it.'),
  ])
  return 0
}
