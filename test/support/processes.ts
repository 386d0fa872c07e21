import { readdirSync, readFileSync } from 'node:fs'

/** Processes that carry the mark of a run in their environment, as `pid command`. Linux only; elsewhere the list is empty. */
export function processesOfRun(run: string): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it))
    .filter((pid) => marked(read(pid, 'environ').split('\0'), run))
    .map((pid) => `${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ').trim()}`)
}

function marked(environment: readonly string[], run: string): boolean {
  return environment.some((it) => it === `REEVE_RUN=${run}` || (it.startsWith('REEVE_PROC=') && it.includes(`${run}.`)))
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return '' // gone, or somebody else's
  }
}
