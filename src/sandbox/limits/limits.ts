import type { LimitSettings } from '../../core/settings.ts'
import type { Limits } from './port.ts'

const MB = 1024 * 1024

/** The limits of programs of a run, or of the setup commands, which bring many more files. */
export function limitsFrom(settings: LimitSettings, kind: 'run' | 'install'): Limits {
  return {
    memoryBytes: settings.memory_mb * MB,
    processes: settings.processes,
    openFiles: settings.open_files,
    fileBytes: settings.file_size_mb * MB,
    diskBytes: settings.disk_mb * MB,
    files: kind === 'install' ? settings.install_files : settings.files,
    tmpBytes: settings.tmp_mb * MB,
    sharedMemoryBytes: settings.shared_memory_mb * MB,
    cpuPercent: settings.cpu_percent ?? null,
    cpuSeconds: settings.cpu_seconds,
    outputBytes: settings.output_mb * MB,
    installs: kind === 'install',
  }
}
