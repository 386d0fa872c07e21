import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { AuditEntry, AuditHead, Sealer } from '../store/audit.ts'
import type { Store } from '../store/open.ts'
import { createCounts } from './counts.ts'
import { auditKey, createSealer } from './seal.ts'

/** The record of what was asked for. */
export interface Audit {
  /** Resolves when the line is on disk. Rejects where it cannot be written. */
  record(entry: AuditEntry): Promise<void>
  /** Something that came to nothing. The same caller can write only so many of these in a minute; the last of them says that more are left out. */
  refused(entry: AuditEntry): Promise<void>
}

// Enough to see what somebody tries, too few to fill a disk with.
const MOST_REFUSED = 30

export function createAudit({ store, clock }: { store: () => Promise<Store>; clock: Clock }): Audit {
  let sealer: Promise<Sealer> | null = null
  let open: { entries: AuditEntry[]; written: Promise<void> } | null = null
  let last: Promise<unknown> = Promise.resolve()
  const refusals = createCounts(clock)

  async function append(entries: readonly AuditEntry[]): Promise<void> {
    const its = await store()
    sealer ??= auditKey(its.folder).then(createSealer)
    sealer.catch(() => {
      sealer = null
    })
    const { head, due } = await its.access.appendAudit(entries, await sealer)
    if (due) await appendFile(anchorsFile(its.folder), `${anchorLine(head, clock.now())}\n`, { mode: 0o600 })
  }

  /** What comes while lines are being written is written together after them: many callers at once cost few transactions. */
  function record(entry: AuditEntry): Promise<void> {
    if (open === null) {
      const entries: AuditEntry[] = []
      const written = last.then(() => {
        open = null
        return append(entries)
      })
      last = written.catch(() => undefined)
      open = { entries, written }
    }
    open.entries.push(entry)
    return open.written
  }

  return {
    record,
    async refused(entry) {
      const { count } = refusals(`${entry.actor} ${entry.via}`)
      if (count < MOST_REFUSED) await record(entry)
      if (count === MOST_REFUSED) await record({ ...entry, result: `${entry.result}; more of this caller are left out for a minute` })
    },
  }
}

/** A place where the record ended, noted outside of the store: `2026-11-20T10:00:00Z 17 <seal>`. */
export function anchorsFile(folder: string): string {
  return join(folder, 'audit.anchors')
}

function anchorLine({ seq, last }: AuditHead, now: number): string {
  return `${new Date(now).toISOString()} ${seq} ${last}`
}

export interface Anchor {
  /** When it was noted, as text. */
  at: string
  seq: number
  /** Seal of the last line of then. */
  seal: string
}

export async function readAnchors(folder: string): Promise<Anchor[]> {
  const text = await readFile(anchorsFile(folder), 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    const [, at, seq, seal] = /^(\S+) (\d+) ([\w-]{43})$/.exec(line) ?? []
    return at === undefined || seq === undefined || seal === undefined ? [] : [{ at, seq: Number(seq), seal }]
  })
}
