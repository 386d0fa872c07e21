import { stat, statfs } from 'node:fs/promises'
import type { Limits } from './port.ts'
import type { FolderUsage } from './scan.ts'
import type { Scan } from './scan-thread.ts'

/** What folders have grown by since their baseline, as of the last scan; `ofSize`: files that have exactly the size one file may have. */
export interface Grown {
  bytes: number
  entries: number
  ofSize: number
}

/** Nothing, and never looked at. */
export const NO_GROWTH: Grown & { at: number } = { bytes: 0, entries: 0, ofSize: 0, at: 0 }

/** Watches what the programs of a run add to its folders. */
export interface Growth {
  /** Also these. The baseline of a folder is taken in the background, as soon as it is known: what is written in that moment is not counted. */
  add(folders: readonly string[]): void
  /** Cheap; starts a scan when one is due. */
  look(): Promise<void>
  /** Waits for a scan if the file systems have changed so much that a limit may be broken, or a file of this size may have come. */
  settle(fileBytes: number): Promise<void>
  /** `at`: when the scan ended, by `performance.now()`; 0 before the first. */
  grown(): Grown & { at: number }
  /** What is there now counts no more. */
  rebase(): void
}

// A scan of 30,000 entries takes 0.1 s of a processor; the disk of a run need not be known more often.
const EVERY_MS = 2000
// A scan may take a twentieth of one processor in the long run, and when a limit may be broken half of one.
const REST = 20
const URGENT_REST = 1
// Nobody notices so much more at the end of a command that failed.
const CHEAP_MS = 250

/** What file systems hold, per device. */
type Space = Map<number, { bytes: number; entries: number }>

/** `scan` walks the folders; it is called only when the file systems themselves have changed. */
export function createGrowth(limits: Pick<Limits, 'diskBytes' | 'files' | 'fileBytes'>, scan: Scan): Growth {
  const baseline = new Map<string, FolderUsage | null>()
  const devices = new Map<number, string>()
  let grown: Grown = { bytes: 0, entries: 0, ofSize: 0 }
  let before: Space = new Map()
  let ended = 0
  let took = 0
  let running: Promise<void> | null = null

  async function scanNow(): Promise<void> {
    const began = performance.now()
    // First: what comes while the scan runs belongs to the time after it.
    const space = await spaceOf(devices)
    if (before.size === 0) before = space
    const folders = [...baseline.keys()]
    const usages = await scan(folders, limits.fileBytes)
    ended = performance.now()
    took = ended - began
    if (usages === null) return
    before = space
    grown = { bytes: 0, entries: 0, ofSize: 0 }
    for (const [at, folder] of folders.entries()) {
      const now = usages[at] ?? null
      const old = baseline.get(folder)
      // A folder that has gone has grown by nothing, and when it comes again it is a new one.
      if (!old || !now) baseline.set(folder, now)
      else grown = { bytes: grown.bytes + now.bytes - old.bytes, entries: grown.entries + now.entries - old.entries, ofSize: grown.ofSize }
      grown.ofSize += now?.ofSize ?? 0
    }
  }

  function begin(): Promise<void> {
    running ??= scanNow().finally(() => {
      running = null
    })
    return running
  }

  /** `now`: the file systems hold so much more than at the last scan that a limit may be broken. */
  async function due(fileBytes = Number.POSITIVE_INFINITY): Promise<'now' | 'later' | 'no'> {
    const space = await spaceOf(devices)
    if (grown.bytes > limits.diskBytes || grown.entries > limits.files) return 'now'
    let moved = false
    for (const [device, now] of space) {
      const old = before.get(device) ?? now
      const bytes = now.bytes - old.bytes
      const entries = now.entries - old.entries
      if (bytes >= fileBytes || (bytes > 0 && grown.bytes + bytes > limits.diskBytes)) return 'now'
      if (entries > 0 && grown.entries + entries > limits.files) return 'now'
      moved ||= bytes !== 0 || entries !== 0
    }
    return moved ? 'later' : 'no'
  }

  return {
    add(folders) {
      const known = [...baseline.keys()]
      const added = folders.filter((it) => !known.some((other) => within(it, other)))
      if (added.length === 0) return
      for (const folder of added) {
        for (const other of known) if (within(other, folder)) baseline.delete(other)
        baseline.set(folder, null)
      }
      void devicesOf(added, devices).then(() => (running === null ? begin() : running.then(begin)))
    },
    async look() {
      if (running !== null || baseline.size === 0) return
      const rested = performance.now() - ended
      const state = await due()
      if (state === 'now' && rested > took * URGENT_REST) void begin()
      if (state === 'later' && rested > Math.max(EVERY_MS, took * REST)) void begin()
    },
    async settle(fileBytes) {
      if (baseline.size === 0) return
      // For a program that failed the file systems say too little: others may have freed what it took. Not worth a long scan.
      const look = async () => (fileBytes < Number.POSITIVE_INFINITY && took < CHEAP_MS) || (await due(fileBytes)) === 'now'
      if (!(await look())) return
      if (running !== null) await running
      if (await look()) await begin()
    },
    grown: () => ({ ...grown, at: ended }),
    rebase() {
      for (const folder of baseline.keys()) baseline.set(folder, null)
      grown = { bytes: 0, entries: 0, ofSize: 0 }
      void (running === null ? begin() : running.then(begin))
    },
  }
}

function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

async function devicesOf(folders: readonly string[], devices: Map<number, string>): Promise<void> {
  for (const folder of folders) {
    const found = await stat(folder).catch(() => null)
    if (found !== null && !devices.has(found.dev)) devices.set(found.dev, folder)
  }
}

async function spaceOf(devices: ReadonlyMap<number, string>): Promise<Space> {
  const space: Space = new Map()
  for (const [device, folder] of devices) {
    const found = await statfs(folder).catch(() => null)
    if (found === null) continue
    space.set(device, { bytes: (found.blocks - found.bfree) * found.bsize, entries: found.files - found.ffree })
  }
  return space
}
