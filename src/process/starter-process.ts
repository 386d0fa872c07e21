/**
 * The process that starts programs for another one: see `starter.ts`. Its memory is small and stays so, which is all that it is for.
 * It ends with its parent, and so do the programs that it has started.
 */
import { enableCompileCache } from 'node:module'
import type { ProgramSpec } from './port.ts'

// Without it the compiler of types would be half of its memory.
enableCompileCache()
const { problemOf } = await import('../core/errors.ts')
const { runProgram } = await import('./run-program.ts')

/** What the parent says: start this, or stop what has this number. */
export type Order = { id: number; spec: Omit<ProgramSpec, 'signal'> } | { id: number; abort: true }

const atWork = new Map<number, AbortController>()

process.on('message', (order: Order) => {
  if ('abort' in order) atWork.get(order.id)?.abort()
  else void start(order.id, order.spec)
})
process.on('disconnect', () => {
  for (const it of atWork.values()) it.abort()
  if (atWork.size === 0) process.exit(0)
})
// A terminal's Ctrl-C reaches the whole group; the parent decides.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined)

async function start(id: number, spec: Omit<ProgramSpec, 'signal'>): Promise<void> {
  const over = new AbortController()
  atWork.set(id, over)
  const answer = await runProgram({ ...spec, signal: over.signal }).then(
    (result) => ({ id, result }),
    (error: unknown) => ({ id, problem: problemOf(error) }),
  )
  atWork.delete(id)
  if (process.connected) process.send?.(answer)
  else if (atWork.size === 0) process.exit(0)
}
