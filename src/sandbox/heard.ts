import { setTimeout as delay } from 'node:timers/promises'
import type { StartedProgram } from '../process/port.ts'

// What was said by then is read within milliseconds; a busy machine may take longer.
const HEARD_MS = 5000

/** All that a program and its sandbox have said on these descriptors was read: the end of a short one may be known before. */
export async function heard(child: StartedProgram, descriptors: readonly number[]): Promise<void> {
  await Promise.race([Promise.all(descriptors.map((it) => closed(child, it))), delay(HEARD_MS, undefined, { ref: false })])
}

function closed(child: StartedProgram, descriptor: number): Promise<void> {
  const stream = child.stdio[descriptor]
  if (stream == null || stream.closed) return Promise.resolve()
  return new Promise((resolve) => stream.once('close', () => resolve()))
}
