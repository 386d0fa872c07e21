import { resolve } from 'node:path'
import type { Hold } from '../core/isolation.ts'
import { programEnv } from '../process/env.ts'
import type { Confinement, StartedProgram } from '../process/port.ts'
import { which } from '../process/which.ts'
import type { Backend, BackendRequest } from './backend.ts'
import type { RunLimits, Watch } from './limits/port.ts'
import { profileVariables } from './profile-env.ts'

/**
 * Plain processes with limits: for machines without a sandbox. They see and reach what the user sees and reaches; what is held is how much
 * they use together, and that they end. Linux looks at /proc and uses control groups where it may; other systems are asked by `ps`.
 */
export function createGuarded(request: BackendRequest, limitHolds: () => Hold[]): Backend {
  return {
    level: 'guarded',
    by: 'plain processes',
    limitHolds,
    env: (place, profile) => ({
      ...programEnv({ home: place.home, run: place.run, from: request.env, realHome: request.realHome }),
      ...profileVariables(request.settings, profile),
    }),
    confine: (place, profile) => guard(request.limitsOf(place, profile)),
  }
}

/** Holds plain processes to limits. */
export function guard(limits: RunLimits): Confinement {
  return {
    level: 'guarded',
    outputBytes: limits.limits.outputBytes,
    async launch({ argv, cwd, env }) {
      // In front of a program that is not there the words would fail in its place, and it would not be said that it is missing.
      const named = argv[0].includes('/') ? resolve(cwd, argv[0]) : argv[0]
      const there = (await which(named, env['PATH'] ?? '')) !== null
      const words = there ? [...(await limits.outer()), ...limits.inner({ namespace: false })] : []
      const [first = argv[0], ...rest] = [...words, ...argv]
      let program: StartedProgram | null = null
      let watch: Watch | null = null
      return {
        argv: [first, ...rest],
        cwd,
        env,
        descriptors: [],
        diesWhole: false,
        started(child, broken) {
          program = child
          watch = limits.watch({ kind: 'plain', pid: child.pid ?? 0 }, broken)
        },
        async end() {
          if (program === null || watch === null) return { usage: null, breach: null, failure: null }
          const { exitCode: code, signalCode: signal } = program
          return { ...(await watch.end({ code, signal })), failure: null }
        },
      }
    },
  }
}
