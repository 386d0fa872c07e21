import type { CommandRun } from '../command-spec.ts'
import { answer, remark } from '../io.ts'
import { oneLine } from '../text.ts'
import { acceptedOf } from './run.ts'
import { verdictLines } from './verdict-lines.ts'

export const verify: CommandRun = async (io, args, options) => {
  if (!io.json) remark(io, io.paint('dim', 'Doing the checks again in a clean clone ...'))
  const leave = new AbortController()
  const quiet = io.onInterrupt(() => leave.abort())
  try {
    const found = await (await io.client()).call('evidence.verify', { run: args[0] ?? '', ...acceptedOf(options) }, leave.signal)
    answer(io, found, () => [
      ...(found.measured ? [...verdictLines(io, found.measured), ''] : []),
      ...found.differences.map((it) => `  ${oneLine(it)}`),
      levelLine(found.isolation),
      found.match
        ? `${io.paint('green', 'MATCH')} everything measured again is as recorded, at ${found.commit.slice(0, 12)}`
        : `${io.paint('red', 'MISMATCH')} ${found.differences.length} ${found.differences.length === 1 ? 'thing is' : 'things are'} not as recorded`,
    ])
    return found.match ? 0 : 1
  } catch (error) {
    if (leave.signal.aborted) return 130
    throw error
  } finally {
    quiet()
  }
}

/** The same result at another level is the same result; who reads it should know, though. */
function levelLine({ recorded, measured }: { recorded: string; measured: string }): string {
  return recorded === measured ? `  isolation ${measured}` : `  isolation ${measured}; the run itself was at ${recorded}`
}
