import { readFile } from 'node:fs/promises'
import type { Breach, Confinement, Launch } from '../../process/port.ts'
import { runProgram } from '../../process/run-program.ts'
import { unconfined } from '../../process/unconfined.ts'

const MB = 1024 * 1024
// A broken file makes the engine grow by some 100 MB a second.
const LOOK_MS = 100
/** Where each look is a program of its own. */
const LOOK_BY_PS_MS = 1000

/** Ends a program that has more memory than this. What is mapped of its files counts too. `setting`: the one that raises it. */
export function memoryWatch(allowedMb: number, setting: string): Confinement {
  return {
    ...unconfined,
    async launch(program): Promise<Launch> {
      const plain = await unconfined.launch(program)
      let timer: NodeJS.Timeout | undefined
      let peak = 0
      return {
        ...plain,
        started({ pid }, broken) {
          if (pid === undefined) return
          timer = every(process.platform === 'linux' ? LOOK_MS : LOOK_BY_PS_MS, async () => {
            peak = Math.max(peak, await residentBytes(pid))
            if (peak <= allowedMb * MB) return
            clearInterval(timer)
            broken(breachOf(allowedMb, peak, setting))
          })
        },
        async end() {
          clearInterval(timer)
          return { usage: null, breach: null, failure: null }
        },
      }
    },
  }
}

function breachOf(allowed: number, peak: number, setting: string): Breach {
  return { limit: 'memory', allowed, peak: Math.ceil(peak / MB), unit: 'MB', setting }
}

/** Never two at a time. */
function every(ms: number, look: () => Promise<void>): NodeJS.Timeout {
  let looking = false
  const timer = setInterval(() => {
    if (looking) return
    looking = true
    void look()
      .catch(() => undefined) // it has ended
      .finally(() => {
        looking = false
      })
  }, ms)
  return timer.unref()
}

async function residentBytes(pid: number): Promise<number> {
  if (process.platform === 'linux') {
    const status = await readFile(`/proc/${pid}/status`, 'latin1')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
  }
  const { stdout } = await runProgram({
    argv: ['/bin/ps', '-o', 'rss=', '-p', String(pid)],
    cwd: '/',
    env: {},
    timeoutMs: 5000,
    trusted: true,
  })
  return Number(stdout.trim()) * 1024
}
