import type { CommandRun } from '../command-spec.ts'
import { answer } from '../io.ts'

// oxlint-disable-next-line require-await
export const version: CommandRun = async (io) => {
  const known = { reeve: io.version, node: process.version, platform: `${process.platform}-${process.arch}` }
  answer(io, known, () => [known.reeve])
  return 0
}
