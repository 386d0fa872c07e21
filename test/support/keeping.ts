import { noSandbox } from '../../src/sandbox/unconfined.ts'
import type { Keeping } from '../../src/workspace/held.ts'

/** Programs as plain processes: for tests of what is not about their confinement. */
export const unkept: Keeping = { sandbox: noSandbox, registries: () => Promise.resolve({ hosts: [], files: [], readable: [] }) }
