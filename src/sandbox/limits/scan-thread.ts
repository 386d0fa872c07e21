import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { FolderUsage } from './scan.ts'
import type { ScanReply, ScanRequest } from './scan-worker.ts'

/** Walks folders off the event loop; null when the thread broke. Scans of all runs queue behind one another: the disk is one. */
export type Scan = (folders: readonly string[], size: number) => Promise<(FolderUsage | null)[] | null>

/** A thread that is started at the first scan and keeps no process alive but while a scan is under way. */
export function scanThread(): Scan {
  const waiting = new Map<number, (usages: (FolderUsage | null)[] | null) => void>()
  let worker: Worker | null = null
  let ids = 0

  function start(): Worker {
    const made = new Worker(workerFile(), { execArgv: ['--disable-warning=ExperimentalWarning', '--report-exclude-env'] })
    made.on('message', ({ id, usages }: ScanReply) => answer(id, usages))
    const broken = () => {
      if (worker === made) worker = null
      for (const id of waiting.keys()) answer(id, null)
    }
    made.on('error', broken)
    made.on('exit', broken)
    made.unref() // last: the listener for messages takes hold of the process again
    return made
  }

  function answer(id: number, usages: (FolderUsage | null)[] | null): void {
    waiting.get(id)?.(usages)
    waiting.delete(id)
    if (waiting.size === 0) worker?.unref()
  }

  return (folders, size) =>
    new Promise((resolve) => {
      ids += 1
      waiting.set(ids, resolve)
      worker ??= start()
      // Somebody waits for the answer: a process with nothing else to do would end without it.
      worker.ref()
      const request: ScanRequest = { id: ids, folders, size }
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage(request)
    })
}

/** The one of this process. */
export const sharedScan = scanThread()

/** The worker beside this file: TypeScript in a checkout, JavaScript in the published package. */
function workerFile(): URL {
  const source = new URL('./scan-worker.ts', import.meta.url)
  return existsSync(fileURLToPath(source)) ? source : new URL('./scan-worker.js', import.meta.url)
}
