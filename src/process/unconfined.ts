import type { Confinement, Launch } from './port.ts'

/** A program that nobody holds: it is started as it is, with the rights of this process. */
export const unconfined: Confinement = {
  level: 'none',
  launch: ({ argv, cwd, env }): Promise<Launch> =>
    Promise.resolve({
      argv,
      cwd,
      env,
      descriptors: [],
      diesWhole: false,
      started: () => undefined,
      end: () => Promise.resolve({ usage: null, breach: null, failure: null }),
    }),
}
