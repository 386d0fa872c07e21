import type { CommandRun } from '../command-spec.ts'
import { remark } from '../io.ts'

/** Standard output belongs to the protocol from here on: whatever else is said goes to standard error. */
export const mcp: CommandRun = async (io) => {
  const [client, { serveMcp }] = await Promise.all([io.client(), import('../../mcp/stdio.ts')])
  const leave = new AbortController()
  const quiet = io.onInterrupt(() => leave.abort())
  try {
    await serveMcp({ client, version: io.version, log: (line) => remark(io, line), signal: leave.signal })
  } finally {
    quiet()
  }
  return 0
}
