/** The thread that walks folders. One request at a time. The other side is `scan-thread.ts`. */
import { parentPort } from 'node:worker_threads'
import { type FolderUsage, scanFolder } from './scan.ts'

export interface ScanRequest {
  id: number
  folders: readonly string[]
  /** Files of this size are counted. */
  size: number
}
/** In the order of the request; null: there is no such folder. */
export interface ScanReply {
  id: number
  usages: (FolderUsage | null)[]
}

parentPort?.on('message', ({ id, folders, size }: ScanRequest) => {
  const reply: ScanReply = { id, usages: folders.map((it) => scanFolder(it, size)) }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(reply)
})
