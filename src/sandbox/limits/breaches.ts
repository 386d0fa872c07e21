import type { Breach } from '../../process/port.ts'
import type { Grown } from './growth.ts'
import type { Limits } from './port.ts'

const MB = 1024 * 1024

type Watched = Exclude<Breach['limit'], 'output'>

/** What a limit is counted in, and the setting that raises it. */
const KINDS: Record<Watched, { unit: Breach['unit']; setting: string; of: (limits: Limits) => number }> = {
  memory: { unit: 'MB', setting: 'memory_mb', of: (it) => it.memoryBytes },
  processes: { unit: 'processes', setting: 'processes', of: (it) => it.processes },
  disk: { unit: 'MB', setting: 'disk_mb', of: (it) => it.diskBytes },
  files: { unit: 'files', setting: 'files', of: (it) => it.files },
  'file size': { unit: 'MB', setting: 'file_size_mb', of: (it) => it.fileBytes },
  'temporary files': { unit: 'MB', setting: 'tmp_mb', of: (it) => it.tmpBytes },
  'shared memory': { unit: 'MB', setting: 'shared_memory_mb', of: (it) => it.sharedMemoryBytes },
  'processor time': { unit: 's', setting: 'cpu_seconds', of: (it) => it.cpuSeconds },
}

/** A broken limit in the units people set it in. `peak` in bytes, seconds or a count; less than the limit means that the kernel held it there. */
export function breachOf(limits: Limits, limit: Watched, peak: number): Breach {
  const { unit, setting, of } = KINDS[limit]
  const allowed = of(limits)
  // Rounded up: 128.2 of 128 MB must not read as "128 of 128".
  const inUnit = (value: number) => (unit === 'MB' ? Math.ceil(value / MB) : Math.ceil(value))
  const name = limit === 'files' && limits.installs === true ? 'install_files' : setting
  return { limit, allowed: inUnit(allowed), peak: inUnit(Math.max(peak, allowed)), unit, setting: `sandbox.limits.${name}` }
}

/** Whether a run's folders have grown by more than they may. */
export function growthBreach(limits: Limits, grown: Grown): Breach | null {
  if (grown.bytes > limits.diskBytes) return breachOf(limits, 'disk', grown.bytes)
  return grown.entries > limits.files ? breachOf(limits, 'files', grown.entries) : null
}
